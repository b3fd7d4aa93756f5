import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { type Windows, windowMargins } from './windowMargins.ts';

/**
 * What each window has at one of its pixels, (row, column) ↦ [B, out height, out width, C], of images x [B, H, W, C].
 *
 * The image is parted into the phases of the stride, of which each answer is a plain slice: TensorFlow's strided slices
 * go number by number, which on cnn6 takes several times as long as the products that they serve.
 *
 * @param outside What stands beyond the image.
 */
export function windowPixels(x: Tensor, windows: Windows, outside = 0): (row: number, column: number) => Tensor {
  const [images, height, width, channels] = x.shape as [number, number, number, number];
  const { strideHeight, strideWidth, outHeight, outWidth } = windows;
  const { rows, columns } = windowMargins(windows);
  const high = Math.ceil((rows[0] + height + rows[1]) / strideHeight);
  const wide = Math.ceil((columns[0] + width + columns[1]) / strideWidth);
  const padded = tf.pad(
    x,
    [
      [0, 0],
      [rows[0], high * strideHeight - height - rows[0]],
      [columns[0], wide * strideWidth - width - columns[0]],
      [0, 0],
    ],
    outside,
  );
  const parted = tf.reshape(padded, [images * high, strideHeight, wide, strideWidth * channels]);
  const phase = (row: number, column: number) =>
    tf.reshape(tf.slice(parted, [0, row, 0, column * channels], [images * high, 1, wide, channels]), [
      ...[images, high, wide, channels],
    ]);
  const phases =
    strideHeight * strideWidth === 1
      ? [[padded]]
      : Array.from({ length: strideHeight }, (_, r) => Array.from({ length: strideWidth }, (_, s) => phase(r, s)));
  return (row, column) =>
    tf.slice(
      phases[row % strideHeight]![column % strideWidth]!,
      [0, Math.floor(row / strideHeight), Math.floor(column / strideWidth), 0],
      [images, outHeight, outWidth, channels],
    );
}
