import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import util from 'node:util';
import { BrinkError } from '../core/errors.ts';
import { bindingIn, type NativeVariant, nativeFolder, TENSORFLOW } from './install/nativeFolder.ts';

/**
 * Read by TensorFlow when it loads, so set before: no rounding of products to TF32 on GPUs that would (it costs three digits
 * of H v), kernels whose sums do not depend on which thread ends first, and no log lines below errors.
 */
const ENVIRONMENT = { NVIDIA_TF32_OVERRIDE: '0', TF_DETERMINISTIC_OPS: '1', TF_CPP_MIN_LOG_LEVEL: '2' };

/** Which native engine is installed: the one with CUDA where there is one. */
function installed(): { folder: string; variant: NativeVariant } | undefined {
  const variants: readonly NativeVariant[] = ['cuda', 'cpu'];
  return variants
    .map((variant) => ({ folder: nativeFolder(variant), variant }))
    .find(({ folder }) => existsSync(bindingIn(folder)));
}

/**
 * Loads TensorFlow's own library through the binding that `@tensorflow/tfjs-node-gpu` carries, compiled into the user's cache.
 *
 * @throws BrinkError where it is not installed, or cannot be loaded.
 */
export async function loadNative(): Promise<{ device: string; version: string }> {
  const found = installed();
  if (found === undefined) {
    throw new BrinkError(
      'tensorflow',
      'the native engine is not installed. `brink engine install` makes it from a Python wheel of TensorFlow and a C++ compiler.',
    );
  }
  for (const [name, value] of Object.entries(ENVIRONMENT)) process.env[name] ??= value;
  // Node 23 took away two functions that the package calls.
  Object.assign(util, {
    isNullOrUndefined: (x: unknown) => x === null || x === undefined,
    isArray: Array.isArray,
  });
  const require = createRequire(import.meta.url);
  const packageRequire = createRequire(require.resolve('@tensorflow/tfjs-node-gpu'));
  // The package asks node-pre-gyp where its binding lies, which would look into the package's own folder.
  const preGyp = packageRequire.resolve('@mapbox/node-pre-gyp');
  packageRequire.cache[preGyp] = { exports: { find: () => bindingIn(found.folder) } } as NodeJS.Module;
  try {
    const { backend } = packageRequire('@tensorflow/tfjs-node-gpu');
    const gpu = found.variant === 'cuda' && backend().isUsingGpuDevice;
    return {
      device: gpu ? 'GPU' : `CPU, ${availableParallelism()} threads`,
      version: `TensorFlow ${TENSORFLOW}`,
    };
  } catch (error) {
    throw new BrinkError(
      'tensorflow',
      `the native engine in ${found.folder} cannot be loaded: ${(error as Error).message}. \`brink engine install\` makes it anew.`,
      { cause: error },
    );
  }
}
