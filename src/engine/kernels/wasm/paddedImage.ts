import { ROWS, wholeRows } from './products.ts';

/** Sizes of a convolution, in entries. */
export interface Geometry {
  readonly images: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly filterHeight: number;
  readonly filterWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  /** Rows and columns of zeros before the image; negative where the image's first ones are left out. */
  readonly top: number;
  readonly left: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly outChannels: number;
}

/** The part of the padded image that the filter's windows cover. */
const paddedHeight = (g: Geometry): number => (g.outHeight - 1) * g.strideHeight + g.filterHeight;
export const paddedWidth = (g: Geometry): number => (g.outWidth - 1) * g.strideWidth + g.filterWidth;

/** Floats that a padded image takes, with what products read beyond its end to fill their last block of rows. */
export function paddedImageSize(g: Geometry): number {
  return (paddedHeight(g) * paddedWidth(g) + (ROWS - 1) * g.strideWidth) * g.channels + ROWS - 1;
}

/**
 * Where the padded images of a batch lie: in the batch itself where they need no padding, else each in turn in
 * `scratch`.
 *
 * @param x the batch's place in the heap, in floats.
 */
export function paddedImages(heap: Float32Array, g: Geometry, x: number, scratch: number): (image: number) => number {
  const size = g.height * g.width * g.channels;
  const [height, width] = [paddedHeight(g), paddedWidth(g)];
  const asItIs =
    g.top === 0 &&
    g.left === 0 &&
    height === g.height &&
    width === g.width &&
    wholeRows(g.outWidth) === g.outWidth &&
    wholeRows(g.filterWidth * g.channels) === g.filterWidth * g.channels;
  if (asItIs) return (image) => x + image * size;

  heap.fill(0, scratch, scratch + paddedImageSize(g));
  const first = Math.max(0, -g.top);
  const end = Math.min(g.height, height - g.top);
  const start = Math.max(0, -g.left);
  const columns = Math.min(g.width, width - g.left) - start;
  return (image) => {
    if (columns <= 0) return scratch;
    for (let h = first; h < end; h++) {
      const from = x + image * size + (h * g.width + start) * g.channels;
      heap.copyWithin(scratch + ((h + g.top) * width + start + g.left) * g.channels, from, from + columns * g.channels);
    }
    return scratch;
  };
}
