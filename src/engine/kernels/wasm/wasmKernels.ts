import type { KernelBackend, Tensor, TensorInfo } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { convolutionInfo } from '../convolutionInfo.ts';
import type { Attributes, Inputs, Kernel, KernelTable, StockKernel } from '../Kernel.ts';
import { keepNaN } from '../portable/keepNaN.ts';
import { matrixProduct as broadcastProduct } from '../portable/matrixProduct.ts';
import { avgPool, depthwiseConv2d, paddedDepthwiseConv2d } from '../portable/numericPadding.ts';
import { tensorOf } from '../portable/tensorOf.ts';
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
  Cast: ({ x }, attributes, backend, stock) => {
    if (attributes.dtype === x!.dtype) return share(x!, backend);
    // The stock kernel cuts 0.5 down to 0 before it asks whether it is true.
    if (attributes.dtype === 'bool') return tf.tidy(() => tf.notEqual(x!, 0));
    return stock({ x: x! }, attributes, backend);
  },
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
  AvgPool: keepNaN(avgPool),
  // The stock kernel lays the windows of 'same' elsewhere where the filter is smaller than its stride.
  DepthwiseConv2dNative: (inputs, attributes, backend, stock) => {
    const info = convolutionInfo(inputs.x!.shape, inputs.filter!.shape, attributes);
    const isSmaller = info.filterHeight < info.strideHeight || info.filterWidth < info.strideWidth;
    return (isSmaller ? paddedDepthwiseConv2d : depthwiseConv2d)(inputs, attributes, backend, stock);
  },
  // The stock kernel takes α for one of the last axes, whichever it is broadcast over.
  Prelu: ({ x, alpha }) => tf.tidy(() => tf.where(tf.greater(x!, 0), x!, tf.mul(x!, alpha!))),
  BatchMatMul: (inputs, attributes, backend) => broadcastProduct(inputs, attributes, backend, matrixProduct),
  Maximum: keepSecondNaN,
  Minimum: keepSecondNaN,
  ...convolutionKernels,
  ...poolingKernels,
} as const satisfies KernelTable;

/** Maximum or minimum; the stock kernels pass NaN over where it is the second of the two. */
function keepSecondNaN({ a, b }: Inputs, attributes: Attributes, backend: object, stock: StockKernel): TensorInfo {
  if (!heapOf(backend).numbers(b!).some(Number.isNaN)) return stock({ a: a!, b: b! }, attributes, backend);
  return tf.tidy(() => tf.where(tf.isNaN(b!), b!, tensorOf(stock({ a: a!, b: b! }, attributes, backend))));
}

/** The same numbers as a tensor of its own. */
function share(x: Tensor, backend: object): TensorInfo {
  (backend as KernelBackend).incRef(x.dataId);
  return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
}

/** Sum or mean; the stock kernels add one after the other in float32: 1e6 entries cost four digits. */
function reduction(mean: boolean): Kernel {
  return ({ x }, attributes, backend, stock) =>
    x!.dtype === 'float32'
      ? sumInDouble(x!, attributes.axis, attributes.keepDims, mean, heapOf(backend))
      : stock({ x: x! }, attributes, backend);
}
