import type { Attributes } from './Kernel.ts';

/**
 * The attributes of a convolution or a pool, a padding by one number said for each side: where one number pads all four
 * TensorFlow.js takes the stride and the filter of the rows for those of the columns.
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
