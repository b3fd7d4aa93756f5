import * as tf from '@tensorflow/tfjs';
import type { Attributes } from './register.ts';

/** Strides, padding and sizes of a convolution, in numbers. Channels last: the one layout that every engine has. */
export function convolutionInfo(
  inputShape: readonly number[],
  filterShape: readonly number[],
  { strides, pad, dilations, dataFormat, dimRoundingMode }: Attributes,
) {
  if (dataFormat === 'NCHW') {
    throw new Error("conv2d: dataFormat is 'NCHW'. Its derivatives are there for 'NHWC' only; put the channels last.");
  }
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
