import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';

/** How far apart windows stand on an image, how many of them, and how far they reach beyond it. */
interface Windows {
  readonly padInfo: { readonly top: number; readonly bottom: number; readonly left: number; readonly right: number };
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly outHeight: number;
  readonly outWidth: number;
}

/** Rows and columns before and after an image. */
export type Margins = Readonly<Record<'rows' | 'columns', readonly [before: number, after: number]>>;

/**
 * What each window has at one of its pixels, (row, column) ↦ [B, out height, out width, C], of images x [B, H, W, C].
 *
 * The image is parted into the phases of the stride, of which each answer is a plain slice: TensorFlow's strided slices
 * go number by number, which on cnn6 takes several times as long as the products that they serve.
 *
 * @param margins By default the windows' padding.
 * @param outside What stands in them.
 */
export function windowPixels(x: Tensor, windows: Windows, margins: Margins = paddingOf(windows), outside = 0) {
  const { rows, columns } = margins;
  const [images, height, width, channels] = x.shape as [number, number, number, number];
  const { strideHeight, strideWidth, outHeight, outWidth } = windows;
  const high = Math.ceil((rows[0] + height + rows[1]) / strideHeight);
  const wide = Math.ceil((columns[0] + width + columns[1]) / strideWidth);
  const [above] = rows;
  const [left] = columns;
  const beyond: [number, number][] = [
    [0, 0],
    [above, high * strideHeight - height - above],
    [left, wide * strideWidth - width - left],
    [0, 0],
  ];
  const padded = tf.pad(x, beyond, outside);
  const parted = tf.reshape(padded, [images * high, strideHeight, wide, strideWidth * channels]);
  const phase = (row: number, column: number) =>
    tf.reshape(tf.slice(parted, [0, row, 0, column * channels], [images * high, 1, wide, channels]), [
      ...[images, high, wide, channels],
    ]);
  const phases =
    strideHeight * strideWidth === 1
      ? [[padded]]
      : Array.from({ length: strideHeight }, (_, r) => Array.from({ length: strideWidth }, (_, s) => phase(r, s)));
  return (row: number, column: number): Tensor =>
    tf.slice(
      phases[row % strideHeight]![column % strideWidth]!,
      [0, Math.floor(row / strideHeight), Math.floor(column / strideWidth), 0],
      [images, outHeight, outWidth, channels],
    );
}

const paddingOf = ({ padInfo: { top, bottom, left, right } }: Windows): Margins => ({
  rows: [top, bottom],
  columns: [left, right],
});
