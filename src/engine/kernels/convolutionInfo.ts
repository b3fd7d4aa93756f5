import * as tf from '@tensorflow/tfjs-core';
import { explicitPadding } from './explicitPadding.ts';
import type { Attributes } from './Kernel.ts';

/** Strides, padding and sizes of a convolution, in numbers. */
export function convolutionInfo(inputShape: readonly number[], filterShape: readonly number[], attributes: Attributes) {
  const { strides, pad, dilations, dimRoundingMode } = explicitPadding(attributes);
  return tf.backend_util.computeConv2DInfo(
    inputShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    false,
    'channelsLast',
  );
}
