import { defineConfig } from 'vitest/config';
import { installedBuild } from './src/engine/install/nativeBuild.ts';
import { everything } from './test/helpers/everything.ts';
import { SummaryReporter } from './test/helpers/SummaryReporter.ts';
import { gpuMissing, softwareGpu } from './test/helpers/softwareGpu.ts';

/** Tests that compute on an engine. */
const ON_AN_ENGINE = [
  'test/engine/*.test.ts',
  'test/models/**/*.test.ts',
  'test/losses/**/*.test.ts',
  'test/onEveryEngine/**/*.test.ts',
  'test/reference.test.ts',
];

/** Of these WebAssembly runs what differs from engine to engine, where the others run on the native one. */
const ON_WASM = [
  'test/engine/*.test.ts',
  'test/losses/**/*.test.ts',
  'test/onEveryEngine/{batchNorm,bringYourOwn,hessianLaws,tensorsBefore}.test.ts',
  'test/reference.test.ts',
];

/** Plain JavaScript has no kernels but the portable ones: it runs what tests those, and nothing that takes it long. */
const ON_PORTABLE_KERNELS = [
  'test/engine/{convolution,empiricalRisk,exampleNorms,kernels,matrixProduct,passes,pooling,secondOrder}.test.ts',
];

/**
 * WebGPU computes without a GPU as slowly: it runs what tests its kernels, reads and memory, and losses; all of it
 * derivatives and norms of gradients too.
 */
const ON_A_SOFTWARE_GPU = [
  'test/engine/{kernels,matrixProduct,passes,pooling,tryBatches}.test.ts',
  ...(everything ? ['test/engine/{convolution,exampleNorms,openEngine,operations,secondOrder}.test.ts'] : []),
  'test/engine/webgpu/*.test.ts',
  'test/losses/**/*.test.ts',
];

/** What is of WebAssembly alone. */
const OF_WASM = ['test/engine/{guardMemory,threads}.test.ts'];
/**
 * What runs operation by operation too, as where a model can't be recorded: every pass and every probe. The rest takes
 * minutes, and each graph is compared with its operations when it is recorded.
 */
const WITHOUT_GRAPHS = [
  'test/engine/{empiricalRisk,exampleNorms,keptAtTheta,margins,openEngine,operations,tryBatches}.test.ts',
  'test/models/layersModel.test.ts',
  'test/onEveryEngine/{batchNorm,bringYourOwn,hessianLaws,probes}.test.ts',
];

const withoutGpu = gpuMissing();
if (withoutGpu !== null) console.log(`Tests on WebGPU are skipped: ${withoutGpu}.`);

const native = installedBuild('cpu') ?? installedBuild('cuda');

/** Set by `test/run.ts`, where this folder's own name would not do. */
const isLink = process.execArgv.includes('--preserve-symlinks');

interface OnEngine {
  readonly include?: string[];
  readonly exclude?: string[];
  readonly project?: string;
  readonly env?: Record<string, string>;
}
const engine = (name: string, { include = ON_AN_ENGINE, exclude = [], project = name, env = {} }: OnEngine = {}) => ({
  extends: true as const,
  test: {
    ...{ name: project, include, exclude, env: { BRINK_ENGINE: name, ...env } },
    ...{ testTimeout: 120_000, hookTimeout: 120_000 },
  },
});

export default defineConfig({
  resolve: { preserveSymlinks: isLink },
  test: {
    pool: 'forks',
    // As brink itself runs, see src/runs/withoutMaglev.ts.
    execArgv: ['--no-maglev', ...(isLink ? ['--preserve-symlinks', '--preserve-symlinks-main'] : [])],
    maxWorkers: 2,
    reporters: ['default', new SummaryReporter()],
    projects: [
      {
        extends: true,
        test: {
          name: 'pure',
          include: ['test/**/*.test.ts'],
          exclude: [...ON_AN_ENGINE, 'test/engine/webgpu/*.test.ts'],
          globalSetup: 'test/helpers/setUp.ts',
          testTimeout: 30_000,
        },
      },
      engine('wasm', { include: native && !everything ? ON_WASM : ON_AN_ENGINE }),
      engine('cpu', { include: ON_PORTABLE_KERNELS }),
      ...(withoutGpu === null ? [engine('webgpu', { include: ON_A_SOFTWARE_GPU, env: softwareGpu })] : []),
      ...(native ? [engine('tensorflow', { exclude: OF_WASM })] : []),
      ...(native && everything
        ? [
            engine('tensorflow', {
              include: WITHOUT_GRAPHS,
              project: 'tensorflow-eager',
              env: { BRINK_GRAPHS: 'off' },
            }),
          ]
        : []),
    ],
  },
});
