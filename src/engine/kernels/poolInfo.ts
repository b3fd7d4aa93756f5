import * as tf from '@tensorflow/tfjs';
import { explicitPadding } from './explicitPadding.ts';
import type { Attributes } from './Kernel.ts';

/** Strides, padding and sizes of a pooling, in numbers. */
export type PoolInfo = ReturnType<typeof poolInfo>;

export function poolInfo(inputShape: readonly number[], attributes: Attributes) {
  const { filterSize, strides, pad, dimRoundingMode } = explicitPadding(attributes);
  return tf.backend_util.computePool2DInfo(
    inputShape as [number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
}
