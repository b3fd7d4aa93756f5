import { defineConfig } from 'vitest/config';
import { installedBuild } from './src/engine/install/nativeBuild.ts';
import { SummaryReporter } from './test/helpers/SummaryReporter.ts';
import { gpuMissing, softwareGpu } from './test/helpers/softwareGpu.ts';

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

/**
 * WebGPU computes without a GPU as slowly: it runs what tests its kernels and derivatives, reads and memory,
 * losses of reference values and norms of gradients.
 */
const ON_A_SOFTWARE_GPU = [
  'test/engine/{convolution,exampleNorms,kernels,matrixProduct,openEngine,operations,passes,pooling}.test.ts',
  'test/engine/{secondOrder,tryBatches}.test.ts',
  'test/engine/webgpu/*.test.ts',
  'test/losses/**/*.test.ts',
  'test/models/models.test.ts',
];

/** What is of WebAssembly alone. */
const OF_WASM = ['test/engine/{guardMemory,threads}.test.ts'];
/** Tests of operations alone, which know of no graph. */
const OF_OPERATIONS = ['test/engine/{convolution,kernels,matrixProduct,passes,pooling,secondOrder}.test.ts'];
/** What knows by itself whether there are graphs, and what compares networks with values from elsewhere. */
const OF_GRAPHS = [
  'test/{reference,engine/graphs,models/residualNets,models/verifyObjective}.test.ts',
  'test/onEveryEngine/{pytorch,pytorchTwins}.test.ts',
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
const engine = (
  name: string,
  { include = ON_EVERY_ENGINE, exclude = [], project = name, env = {} }: OnEngine = {},
) => ({
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
          exclude: [...ON_EVERY_ENGINE, 'test/engine/webgpu/*.test.ts'],
          globalSetup: 'test/helpers/setUp.ts',
          testTimeout: 30_000,
        },
      },
      engine('wasm'),
      engine('cpu', { include: ON_PORTABLE_KERNELS }),
      ...(withoutGpu === null ? [engine('webgpu', { include: ON_A_SOFTWARE_GPU, env: softwareGpu })] : []),
      ...(native
        ? [
            engine('tensorflow', { exclude: OF_WASM }),
            // Operation by operation, as where a model can't be recorded. But for what takes minutes: each graph is compared
            // with its operations when it is recorded.
            engine('tensorflow', {
              exclude: [...OF_WASM, ...OF_OPERATIONS, ...OF_GRAPHS],
              project: 'tensorflow-eager',
              env: { BRINK_GRAPHS: 'off' },
            }),
          ]
        : []),
    ],
  },
});
