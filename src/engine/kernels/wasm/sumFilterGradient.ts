import { type Geometry, paddedImageSize, paddedImages, paddedWidth } from './paddedImage.ts';
import { COLUMNS, type Products, ROWS, wholeColumns, wholeRows } from './products.ts';

/** Pixels of dy that are summed before the next sums are taken up: what they meet of x stays in the nearest cache. */
const PIXELS = 64;

/** A filter gradient, summed in parts of the batch; places in the heap in floats. */
export interface FilterGradient {
  readonly geometry: Geometry;
  readonly x: number;
  readonly dy: number;
  /** A part's sums after another's, each `filterGradientSize` long, zeros to begin with. */
  readonly sums: number;
  readonly parts: number;
}

/** Floats of one part's sums: for each row of the filter, a row of whole blocks for each column and input channel. */
export const filterGradientSize = (g: Geometry): number => g.filterHeight * filterRows(g) * wholeColumns(g.outChannels);
export const filterRows = (g: Geometry): number => wholeRows(g.filterWidth * g.channels);

/** Floats of scratch that one thread needs. */
export function filterGradientScratch(g: Geometry): number {
  return paddedImageSize(g) + g.outHeight * g.outWidth * wholeColumns(g.outChannels);
}

/** Sums the parts from `from` up to `to`. */
export function sumFilterGradient(
  heap: Float32Array,
  products: Products,
  { geometry: g, x, dy, sums, parts }: FilterGradient,
  scratch: number,
  from: number,
  to: number,
): void {
  const width = paddedWidth(g);
  const columns = wholeColumns(g.outChannels);
  const blocks = filterRows(g) / ROWS;
  const padded = paddedImages(heap, g, x, scratch);
  const whole = wholeImages(heap, g, dy, scratch + paddedImageSize(g));
  const band = Math.max(1, Math.floor(PIXELS / g.outWidth));
  const start = (part: number) => Math.floor((part * g.images) / parts);
  for (let part = from; part < to; part++) {
    for (let n = start(part); n < start(part + 1); n++) {
      const [image, factor] = [padded(n), whole(n)];
      for (let i = 0; i < g.outHeight; i += band) {
        for (let r = 0; r < g.filterHeight; r++) {
          for (let k = 0; k < g.outChannels; k += COLUMNS) {
            products.add(
              4 * (image + (i * g.strideHeight + r) * width * g.channels),
              4,
              4 * g.strideHeight * width * g.channels,
              4 * g.strideWidth * g.channels,
              4 * (factor + i * g.outWidth * columns + k),
              4 * columns,
              4 * (sums + part * filterGradientSize(g) + r * filterRows(g) * columns + k),
              4 * columns,
              blocks,
              Math.min(band, g.outHeight - i),
              g.outWidth,
            );
          }
        }
      }
    }
  }
}

/** Where the images of dy lie: in the batch itself where channels fill whole blocks, else each in turn in `scratch`. */
function wholeImages(heap: Float32Array, g: Geometry, dy: number, scratch: number): (image: number) => number {
  const pixels = g.outHeight * g.outWidth;
  const columns = wholeColumns(g.outChannels);
  if (columns === g.outChannels) return (image) => dy + image * pixels * columns;
  heap.fill(0, scratch, scratch + pixels * columns);
  return (image) => {
    for (let pixel = 0; pixel < pixels; pixel++) {
      const from = dy + (image * pixels + pixel) * g.outChannels;
      heap.copyWithin(scratch + pixel * columns, from, from + g.outChannels);
    }
    return scratch;
  };
}
