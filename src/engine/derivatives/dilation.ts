import type { Tensor, Tensor4D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { convolutionInfo } from '../kernels/convolutionInfo.ts';
import type { Attributes } from '../kernels/Kernel.ts';

/** A convolution without dilations, and the way of an input gradient back. */
interface Undilated {
  readonly x: Tensor;
  readonly dy: Tensor;
  readonly attributes: Attributes;
  /** ∂/∂ the given x from ∂/∂ this one. */
  back(dx: Tensor): Tensor;
}

/**
 * A convolution with dilations as one without: every d-th row and column of the padded image is an image of its own.
 *
 * It needs strides of one, which TensorFlow.js asks for beside dilations. One without dilations stays as it is.
 */
export function undilated(x: Tensor, filterShape: readonly number[], dy: Tensor, attributes: Attributes): Undilated {
  const { strides, pad, dimRoundingMode } = attributes;
  const info = convolutionInfo(x.shape, filterShape, attributes);
  const { dilationHeight, dilationWidth, inHeight, inWidth, padInfo } = info;
  if (dilationHeight === 1 && dilationWidth === 1) {
    return { x, dy, attributes: { strides, pad, dataFormat: 'NHWC', dimRoundingMode }, back: (dx) => dx };
  }
  const blocks = [dilationHeight, dilationWidth];
  // Rows and columns of zeros that make the images of one size.
  const missing = (length: number, block: number) => (block - (length % block)) % block;
  const below = missing(inHeight + padInfo.top + padInfo.bottom, dilationHeight);
  const beside = missing(inWidth + padInfo.left + padInfo.right, dilationWidth);
  const padding = [
    [padInfo.top, padInfo.bottom + below],
    [padInfo.left, padInfo.right + beside],
  ];
  return {
    x: tf.spaceToBatchND(x, blocks, padding),
    dy: tf.spaceToBatchND(dy, blocks, [
      [0, below],
      [0, beside],
    ]),
    attributes: { strides: 1, pad: 'valid', dataFormat: 'NHWC' },
    back: (dx) => tf.batchToSpaceND(dx as Tensor4D, blocks, padding),
  };
}
