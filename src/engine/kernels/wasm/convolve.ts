import { type Geometry, paddedImageSize, paddedImages, paddedWidth } from './paddedImage.ts';
import { COLUMNS, type Products, ROWS, wholeColumns, wholeRows } from './products.ts';

/** A convolution of some images of a batch; places and distances in the heap in floats. */
export interface Convolution {
  readonly geometry: Geometry;
  readonly x: number;
  /** The filter in panels: a row for each tap and input channel, a column for each output channel. */
  readonly filter: number;
  readonly y: number;
  /** Between images, rows and pixels of y. */
  readonly yImage: number;
  readonly yRow: number;
  readonly yPixel: number;
}

/** Whether products can write the images of y themselves: they write whole blocks of pixels and channels. */
const writesDirectly = (g: Geometry): boolean =>
  wholeRows(g.outWidth) === g.outWidth && wholeColumns(g.outChannels) === g.outChannels;

/** Floats of scratch that one thread needs. */
export function convolutionScratch(g: Geometry): number {
  const output = writesDirectly(g) ? 0 : wholeRows(g.outWidth) * wholeColumns(g.outChannels);
  return paddedImageSize(g) + output * g.outHeight;
}

/** Convolves the images from `from` up to `to`. */
export function convolve(
  heap: Float32Array,
  products: Products,
  { geometry: g, x, filter, y, yImage, yRow, yPixel }: Convolution,
  scratch: number,
  from: number,
  to: number,
): void {
  const width = paddedWidth(g);
  const inner = g.filterWidth * g.channels;
  const panel = g.filterHeight * inner * COLUMNS;
  const direct = writesDirectly(g);
  const padded = paddedImages(heap, g, x, scratch);
  const own = {
    at: scratch + paddedImageSize(g),
    pixel: wholeColumns(g.outChannels),
    row: wholeRows(g.outWidth) * wholeColumns(g.outChannels),
  };
  for (let n = from; n < to; n++) {
    const image = padded(n);
    const out = direct ? { at: y + n * yImage, pixel: yPixel, row: yRow } : own;
    for (let k = 0, b = filter; k < g.outChannels; k += COLUMNS, b += panel) {
      for (let i = 0; i < g.outHeight; i++) {
        products.write(
          4 * (image + i * g.strideHeight * width * g.channels),
          4 * g.strideWidth * g.channels,
          4 * width * g.channels,
          4,
          4 * b,
          4 * COLUMNS,
          4 * (out.at + i * out.row + k),
          4 * out.pixel,
          wholeRows(g.outWidth) / ROWS,
          g.filterHeight,
          inner,
        );
      }
    }
    if (direct) continue;
    for (let i = 0; i < g.outHeight; i++) {
      for (let j = 0; j < g.outWidth; j++) {
        const start = own.at + i * own.row + j * own.pixel;
        heap.copyWithin(y + n * yImage + i * yRow + j * yPixel, start, start + g.outChannels);
      }
    }
  }
}
