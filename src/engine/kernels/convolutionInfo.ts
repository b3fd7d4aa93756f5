import * as tf from '@tensorflow/tfjs-core';
import { explicitPadding } from './explicitPadding.ts';
import type { Attributes } from './Kernel.ts';
import { requireWindow } from './requireWindow.ts';

/** Strides, padding and sizes of a convolution, in numbers. @throws BrinkError where its filter is larger than x. */
export function convolutionInfo(inputShape: readonly number[], filterShape: readonly number[], attributes: Attributes) {
  const { strides, pad, dilations, dimRoundingMode } = explicitPadding(attributes);
  const info = tf.backend_util.computeConv2DInfo(
    inputShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    false,
    'channelsLast',
  );
  requireWindow('conv2d', info);
  return info;
}
