import { INSTEAD, recipeFor } from '../../install/recipes.ts';
import type { Backend } from '../Backend.ts';
import { loadNative } from './loadNative.ts';
import { nativeKernels } from './nativeKernels.ts';

/** TensorFlow's C library, on a GPU of NVIDIA or the CPU. */
export const native: Backend = {
  load: loadNative,
  remedy: recipeFor('cpu') ? '`npx brink engine install` makes it.' : INSTEAD,
  kernels: nativeKernels,
};
