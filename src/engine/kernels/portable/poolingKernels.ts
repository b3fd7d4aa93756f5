import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { KernelTable } from '../Kernel.ts';
import { type PoolInfo, poolInfo } from '../poolInfo.ts';
import { windowMargins } from '../windowMargins.ts';
import { windowPixels } from '../windowPixels.ts';

/** Below every number in an image: no window has its maximum beyond the image. */
export const LEAST = -3.4028234663852886e38;

/**
 * The derivatives of pooling, from the entries (r, s) of its windows: x_rs is what each has there, of y's shape.
 *
 * With m_rs = 1 where (r, s) is the first entry of its window that equals the maximum y, else 0, put_rs the adjoint of
 * x ↦ x_rs, and N how many entries a window has within the image:
 *   MaxPoolScatter = Σ_rs put_rs(m_rs dy),  MaxPoolGather = Σ_rs m_rs c_rs,  AvgPoolSpread = Σ_rs put_rs(dy / N).
 */
export const poolingKernels = {
  MaxPoolScatter: ({ dy }, { x, y, ...attributes }) =>
    tf.tidy(() => {
      const info = poolInfo(x.shape, attributes);
      const parts = firstMaxima(x, y, info).map((mask) => tf.mul(mask, dy!));
      return putBack(parts, info);
    }),
  MaxPoolGather: ({ c }, { x, y, ...attributes }) =>
    tf.tidy(() => {
      const info = poolInfo(x.shape, attributes);
      const entries = windowEntries(c!, info, 0);
      const parts = firstMaxima(x, y, info).map((mask, k) => tf.mul(mask, entries[k]!));
      return parts.reduce((sum, part) => tf.add(sum, part));
    }),
  AvgPoolSpread: ({ dy }, { inputShape, ...attributes }) =>
    tf.tidy(() => {
      const info = poolInfo(inputShape, attributes);
      const share = tf.div(dy!, entryCounts(info));
      const parts = places(info).map(() => share);
      return putBack(parts, info);
    }),
} as const satisfies KernelTable;

/** The entries (r, s) of a window, row by row. */
function places({ filterHeight, filterWidth }: PoolInfo): { readonly r: number; readonly s: number }[] {
  return Array.from({ length: filterHeight * filterWidth }, (_, k) => ({
    r: Math.floor(k / filterWidth),
    s: k % filterWidth,
  }));
}

/** x_rs for each (r, s); `outside` stands beyond the image. */
function windowEntries(x: Tensor, info: PoolInfo, outside: number): Tensor[] {
  const pixels = windowPixels(x, info, outside);
  return places(info).map(({ r, s }) => pixels(r, s));
}

/**
 * The adjoint of `windowEntries`: each number goes back to the place from which it was taken, those beyond the image
 * are lost.
 */
function putBack(parts: readonly Tensor[], info: PoolInfo): Tensor {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, strideHeight, strideWidth } = info;
  const { rows, columns } = windowMargins(info);
  const [height, width] = [(outHeight - 1) * strideHeight + 1, (outWidth - 1) * strideWidth + 1];
  const [allRows, allColumns] = [rows[0] + inHeight + rows[1], columns[0] + inWidth + columns[1]];
  const padded = places(info).map(({ r, s }, k) => {
    const apart = strideApart(parts[k]!, info);
    return tf.pad(tf.slice(apart, [0, 0, 0, 0], [batchSize, height, width, inChannels]), [
      [0, 0],
      [r, allRows - r - height],
      [s, allColumns - s - width],
      [0, 0],
    ]);
  });
  const sum = padded.reduce((a, b) => tf.add(a, b));
  return tf.slice(sum, [0, rows[0], columns[0], 0], [batchSize, inHeight, inWidth, inChannels]);
}

/** Moves entries a stride apart, with zeros behind each. */
function strideApart(x: Tensor, { batchSize, inChannels, outHeight, outWidth, strideHeight, strideWidth }: PoolInfo) {
  const wide = tf.pad(tf.reshape(x, [-1, 1, inChannels]), [
    [0, 0],
    [0, strideWidth - 1],
    [0, 0],
  ]);
  const high = tf.pad(tf.reshape(wide, [-1, 1, outWidth * strideWidth * inChannels]), [
    [0, 0],
    [0, strideHeight - 1],
    [0, 0],
  ]);
  return tf.reshape(high, [batchSize, outHeight * strideHeight, outWidth * strideWidth, inChannels]);
}

/** m_rs for each (r, s). Where a NaN leaves a window without a maximum all are 0: it is in the loss already. */
function firstMaxima(x: Tensor, y: Tensor, info: PoolInfo): Tensor[] {
  let without: Tensor = tf.onesLike(y);
  return windowEntries(x, info, LEAST).map((entries) => {
    const mask = tf.mul(without, tf.cast(tf.equal(entries, y), 'float32'));
    without = tf.sub(without, mask);
    return mask;
  });
}

/** N for each window, [1, out height, out width, 1]. */
export function entryCounts({ padInfo, inHeight, inWidth, outHeight, outWidth, ...info }: PoolInfo): Tensor {
  const along = (count: number, stride: number, reach: number, before: number, length: number) =>
    Array.from({ length: count }, (_, at) => {
      const first = at * stride - before;
      return Math.min(first + reach, length) - Math.max(first, 0);
    });
  const rows = along(outHeight, info.strideHeight, info.filterHeight, padInfo.top, inHeight);
  const columns = along(outWidth, info.strideWidth, info.filterWidth, padInfo.left, inWidth);
  return tf.tensor(
    rows.flatMap((r) => columns.map((s) => r * s)),
    [1, outHeight, outWidth, 1],
  );
}
