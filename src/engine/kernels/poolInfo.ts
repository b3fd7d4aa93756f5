import * as tf from '@tensorflow/tfjs';
import { explicitPadding } from './explicitPadding.ts';
import type { Attributes } from './Kernel.ts';
import { requireWindow } from './requireWindow.ts';

/** Strides, padding and sizes of a pooling, in numbers. */
export type PoolInfo = ReturnType<typeof poolInfo>;

/** @throws BrinkError where its window is larger than the image. */
export function poolInfo(inputShape: readonly number[], attributes: Attributes) {
  const { filterSize, strides, pad, dimRoundingMode } = explicitPadding(attributes);
  const info = tf.backend_util.computePool2DInfo(
    inputShape as [number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  requireWindow('pool', info);
  return info;
}
