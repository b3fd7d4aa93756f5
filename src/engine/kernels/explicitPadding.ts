import type { Attributes } from './Kernel.ts';

/**
 * A convolution's attributes, a padding by one number said for each side: TensorFlow.js forgets the stride of the
 * columns where one number pads all four.
 *
 * @throws Error where the channels are not last, the one layout that every engine has.
 */
export function explicitPadding(attributes: Attributes): Attributes {
  const { pad, dataFormat } = attributes;
  if (dataFormat === 'NCHW') {
    throw new Error("conv2d: dataFormat is 'NCHW'. Its derivatives are there for 'NHWC' only; put the channels last.");
  }
  if (typeof pad !== 'number') return attributes;
  const sides = [
    [0, 0],
    [pad, pad],
    [pad, pad],
    [0, 0],
  ];
  return { ...attributes, pad: sides };
}
