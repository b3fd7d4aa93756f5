import type * as tf from '@tensorflow/tfjs';
import type { Tensor, TensorInfo } from '@tensorflow/tfjs';
import type { Kernel, KernelTable } from '../Kernel.ts';
import { keepNaN } from '../portable/keepNaN.ts';
import { convolutionKernels } from './convolutionKernels.ts';
import { gatherAdjoint } from './gatherAdjoint.ts';
import { heapOf } from './heap.ts';
import { matrixProduct } from './matrixProduct.ts';
import { poolingKernels } from './poolingKernels.ts';
import { reluMask } from './reluMask.ts';
import { spread } from './spread.ts';
import { sumInDouble } from './sumInDouble.ts';

/** What TensorFlow.js's WebAssembly backend lacks, has wrong or does slowly. */
export const wasmKernels = {
  // The stock kernels copy the numbers: Identity whatever the tape keeps, Cast what is of its type already.
  Identity: ({ x }, _attributes, backend) => share(x!, backend),
  Cast: ({ x }, attributes, backend, stock) =>
    attributes.dtype === x!.dtype ? share(x!, backend) : stock({ x: x! }, attributes, backend),
  Sum: reduction(false),
  Mean: reduction(true),
  ReluMask: reluMask,
  TanhGrad: ({ dy }, { y }, backend) => {
    const heap = heapOf(backend);
    const output = heap.make(dy!.shape);
    const [to, values, from] = [output, y, dy!].map(heap.numbers) as [Float32Array, Float32Array, Float32Array];
    for (let k = 0; k < to.length; k++) to[k] = (1 - values[k]! * values[k]!) * from[k]!;
    return output;
  },
  Spread: spread,
  GatherAdjoint: gatherAdjoint,
  AvgPool: keepNaN,
  BatchMatMul: matrixProduct,
  ...convolutionKernels,
  ...poolingKernels,
} as const satisfies KernelTable;

/** The same numbers as a tensor of its own. */
function share(x: Tensor, backend: object): TensorInfo {
  (backend as tf.KernelBackend).incRef(x.dataId);
  return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
}

/** Sum or mean; the stock kernels add one after the other in float32: 1e6 entries cost four digits. */
function reduction(mean: boolean): Kernel {
  return ({ x }, attributes, backend, stock) =>
    x!.dtype === 'float32'
      ? sumInDouble(x!, attributes.axis, attributes.keepDims, mean, heapOf(backend))
      : stock({ x: x! }, attributes, backend);
}
