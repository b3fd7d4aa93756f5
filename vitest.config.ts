import { defineConfig } from 'vitest/config';
import { nativeBuild } from './src/engine/install/nativeBuild.ts';

/** Tests that compute on an engine run once on each that is there. */
const ON_EVERY_ENGINE = [
  'test/engine/*.test.ts',
  'test/models/**/*.test.ts',
  'test/losses/**/*.test.ts',
  'test/onEveryEngine/**/*.test.ts',
  'test/reference.test.ts',
];

/** Plain JavaScript has no kernels but the portable ones: it runs what tests those, and nothing that takes it long. */
const ON_PORTABLE_KERNELS = [
  'test/engine/{convolution,empiricalRisk,exampleNorms,kernels,matrixProduct,passes,pooling,secondOrder}.test.ts',
];

const native = nativeBuild('cpu').installed || nativeBuild('cuda').installed;
if (!native) {
  const missing = 'the native engine is not installed: `npx brink engine install` makes it';
  if (process.env.BRINK_REQUIRE_NATIVE === '1') throw new Error(missing);
  console.warn(`Tests run on WebAssembly only, since ${missing}.`);
}

const engine = (name: string, include = ON_EVERY_ENGINE) => ({
  extends: true as const,
  test: { name, include, env: { BRINK_ENGINE: name }, testTimeout: 120_000, hookTimeout: 120_000 },
});

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: { name: 'pure', include: ['test/**/*.test.ts'], exclude: ON_EVERY_ENGINE, testTimeout: 30_000 },
      },
      engine('wasm'),
      engine('cpu', ON_PORTABLE_KERNELS),
      ...(native ? [engine('tensorflow')] : []),
    ],
  },
});
