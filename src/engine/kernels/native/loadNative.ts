import { createRequire } from 'node:module';
import { join } from 'node:path';
import util from 'node:util';
import type { GraphAddon } from '../../graphs/GraphAddon.ts';
import { GraphSessions } from '../../graphs/GraphSessions.ts';
import { BINDING, installedBuild, packageFolder } from '../../install/nativeBuild.ts';
import { type Flavour, recipeFor } from '../../install/recipes.ts';
import { threadCount } from '../../threadCount.ts';
import type { LoadedBackend } from '../Backend.ts';
import { hasNvidiaGpu, nvidiaGpuName } from './nvidiaGpu.ts';

/** What TensorFlow reads once, while it loads. A value that the user has set stays. */
const SETTINGS = {
  // Errors only: TensorFlow's notes about the processor are no news.
  TF_CPP_MIN_LOG_LEVEL: '2',
  // TF32 keeps 10 bits of a float32's 23: it would cost three digits of H v.
  NVIDIA_TF32_OVERRIDE: '0',
  // Convolutions and their derivatives on a CPU two to four times faster; unasked, it is on for some CPUs only.
  TF_ENABLE_ONEDNN_OPTS: '1',
  // The same bits each time: kernels without atomic additions, cuBLAS with a fixed workspace, and no choice of
  // convolution algorithms by their timing.
  TF_DETERMINISTIC_OPS: '1',
  TF_CUDNN_USE_AUTOTUNE: '0',
  CUBLAS_WORKSPACE_CONFIG: ':4096:8',
  // Takes GPU memory as it is needed, so that several runs fit on one GPU.
  TF_FORCE_GPU_ALLOW_GROWTH: 'true',
};

/**
 * ConfigProto with `experimental { executor_type: "SINGLE_THREADED_EXECUTOR" }`: a graph's operations one after the
 * other, each with all threads, and nothing spent on which is next. On a GPU, operations wait for copies, which it
 * can't.
 */
const EXECUTOR = Buffer.from('SINGLE_THREADED_EXECUTOR');
const ONE_BY_ONE = Uint8Array.of(0x82, 1, EXECUTOR.length + 2, 0x1a, EXECUTOR.length, ...EXECUTOR);

/** The addon that loads TensorFlow's library: with settings NAME=VALUE, also in a worker thread. */
interface QuietLoad {
  load(settings: readonly string[]): void;
}

/** What brink asks of the addon itself. */
interface Binding {
  readonly TF_Version: string;
  isUsingGpuDevice(): boolean;
}

/**
 * Loads TensorFlow's C library and registers it with TensorFlow.js as the backend `tensorflow`.
 *
 * The CUDA build where it is installed and there is a GPU, else the CPU build.
 *
 * @throws Error with the reason where none is installed or none loads.
 */
export function loadNative(): LoadedBackend {
  const installed = flavours()
    .map(installedBuild)
    .filter((build) => build !== undefined);
  if (installed.length === 0) {
    const { platform, arch } = process;
    throw new Error(recipeFor('cpu') ? 'it is not installed' : `there is no build for ${platform} on ${arch}`);
  }
  const threads = threadCount();
  const limits = process.env.BRINK_THREADS
    ? { TF_NUM_INTRAOP_THREADS: `${threads}`, TF_NUM_INTEROP_THREADS: `${threads}` }
    : {};
  const settings = Object.entries({ ...SETTINGS, ...limits }).map(
    ([name, value]) => `${name}=${process.env[name] ?? value}`,
  );
  // TensorFlow.js calls two functions that Node 23 removed.
  Object.assign(util, { isNullOrUndefined: (x: unknown) => x === null || x === undefined, isArray: Array.isArray });

  const require = createRequire(join(packageFolder(BINDING), 'package.json'));
  const reasons: string[] = [];
  for (const { flavour, binding, quietLoad, graphSession } of installed) {
    try {
      (require(quietLoad) as QuietLoad).load(settings);
      const { TF_Version, isUsingGpuDevice } = require(binding) as Binding;
      // The package asks this module where its addon is, which would look into the package's own folder.
      require.cache[require.resolve('@mapbox/node-pre-gyp')] = { exports: { find: () => binding } } as NodeJS.Module;
      require(BINDING);
      const isGpu = isUsingGpuDevice();
      if (flavour === 'cuda' && !isGpu && hasNvidiaGpu()) {
        process.emitWarning(
          'openEngine: the build with CUDA finds no GPU that it can use, and computes on the CPU. ' +
            '`nvidia-smi` says whether the driver works; CUDA 12 needs version 525 or newer.',
          'BrinkWarning',
        );
      }
      return {
        version: `TensorFlow ${TF_Version}`,
        device: isGpu ? nvidiaGpuName() : `CPU, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
        graphs: new GraphSessions(require(graphSession) as GraphAddon, isGpu ? undefined : ONE_BY_ONE),
      };
    } catch (error) {
      reasons.push(`${binding}: ${(error as Error).message}`);
    }
  }
  throw new Error(reasons.join('; '));
}

/** The builds in the order in which they are tried: one process can load one TensorFlow, so look for the GPU before. */
const flavours = (): readonly Flavour[] => (hasNvidiaGpu() ? ['cuda', 'cpu'] : ['cpu', 'cuda']);
