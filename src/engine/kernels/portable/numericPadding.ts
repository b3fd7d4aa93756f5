import type { Tensor, Tensor4D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { convolutionInfo } from '../convolutionInfo.ts';
import type { Kernel } from '../Kernel.ts';
import { poolInfo } from '../poolInfo.ts';
import { type Windows, windowMargins } from '../windowMargins.ts';
import { entryCounts, LEAST } from './poolingKernels.ts';
import { tensorOf } from './tensorOf.ts';

/** x with what its windows reach over on each side. */
function reached(x: Tensor, windows: Windows, outside: number): Tensor4D {
  const { rows, columns } = windowMargins(windows);
  return tf.pad(x as Tensor4D, [[0, 0], rows, columns, [0, 0]], outside);
}

/**
 * TensorFlow.js's kernel of an operation on windows, by way of 'valid' on an image that is padded before where the
 * padding is given in numbers: its own take the filter's rows for its columns then, on WebAssembly they write beside
 * their output or wait for ever, and TensorFlow's have no such padding or lay windows otherwise.
 */
export const maxPool: Kernel = ({ x }, attributes, backend, stock) => {
  const info = poolInfo(x!.shape, attributes);
  if (typeof attributes.pad === 'string') return stock({ x: x! }, attributes, backend);
  return tf.tidy(() => {
    const padded = reached(x!, info, LEAST);
    return tensorOf(stock({ x: padded }, { ...attributes, pad: 'valid', dimRoundingMode: undefined }, backend));
  });
};

/** As `maxPool`: the sum of a window's entries, by how many of them are in the image. */
export const avgPool: Kernel = ({ x }, attributes, backend, stock) => {
  const info = poolInfo(x!.shape, attributes);
  if (typeof attributes.pad === 'string') return stock({ x: x! }, attributes, backend);
  return tf.tidy(() => {
    const padded = reached(x!, info, 0);
    const means = stock({ x: padded }, { ...attributes, pad: 'valid', dimRoundingMode: undefined }, backend);
    return tf.mul(tensorOf(means), tf.div(info.filterHeight * info.filterWidth, entryCounts(info)));
  });
};

/** As `maxPool`. */
export const depthwiseConv2d: Kernel = (inputs, attributes, backend, stock) => {
  if (typeof attributes.pad !== 'string') return paddedDepthwiseConv2d(inputs, attributes, backend, stock);
  // Throws where no window fits.
  convolutionInfo(inputs.x!.shape, inputs.filter!.shape, attributes);
  return stock(inputs, attributes, backend);
};

/** By way of 'valid', whatever the padding. */
export const paddedDepthwiseConv2d: Kernel = ({ x, filter }, attributes, backend, stock) =>
  tf.tidy(() => {
    const padded = reached(x!, convolutionInfo(x!.shape, filter!.shape, attributes), 0);
    const valid = { ...attributes, pad: 'valid', dimRoundingMode: undefined };
    return tensorOf(stock({ x: padded, filter: filter! }, valid, backend));
  });
