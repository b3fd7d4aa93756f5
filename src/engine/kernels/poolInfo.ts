import * as tf from '@tensorflow/tfjs';
import type { Attributes } from './Kernel.ts';

/** Strides, padding and sizes of a pooling, in numbers. */
export type PoolInfo = ReturnType<typeof poolInfo>;

export function poolInfo(inputShape: readonly number[], { filterSize, strides, pad, dimRoundingMode }: Attributes) {
  return tf.backend_util.computePool2DInfo(
    inputShape as [number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
}
