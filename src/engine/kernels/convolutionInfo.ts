import * as tf from '@tensorflow/tfjs';
import type { Attributes } from './register.ts';

type ExplicitPadding = Exclude<Parameters<typeof tf.backend_util.computeConv2DInfo>[4], string | number>;

/** Strides, padding and sizes of a convolution, in numbers. Channels last: the one layout that every engine has. */
export function convolutionInfo(
  inputShape: readonly number[],
  filterShape: readonly number[],
  { strides, pad, dilations, dataFormat, dimRoundingMode }: Attributes,
) {
  if (dataFormat === 'NCHW') {
    throw new Error("conv2d: dataFormat is 'NCHW'. Its derivatives are there for 'NHWC' only; put the channels last.");
  }
  // TensorFlow.js forgets the stride of the columns where one number pads all four sides.
  const sides: ExplicitPadding = [
    [0, 0],
    [pad, pad],
    [pad, pad],
    [0, 0],
  ];
  return tf.backend_util.computeConv2DInfo(
    inputShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    strides,
    dilations ?? 1,
    typeof pad === 'number' ? sides : pad,
    dimRoundingMode,
    false,
    'channelsLast',
  );
}
