import type { TensorInfo } from '@tensorflow/tfjs';
import { convolutionInfo } from '../convolutionInfo.ts';
import { explicitPadding } from '../explicitPadding.ts';
import type { Attributes, KernelTable } from '../Kernel.ts';
import { type Heap, heapOf } from './heap.ts';
import type { Geometry } from './paddedImage.ts';
import { panelsSize, toPanels } from './panels.ts';
import { type Phase, phases } from './phases.ts';
import { wholeColumns } from './products.ts';
import { MOST_THREADS } from './sharedBackend.ts';
import { filterGradientSize, filterRows } from './sumFilterGradient.ts';
import type { Task } from './tasks.ts';

/** Parts of a batch whose filter gradients are summed apart: as many on any number of threads, for the same bits. */
const PARTS = MOST_THREADS;

/**
 * Convolution and its two derivatives on WebAssembly: TensorFlow.js has no kernel for the filter gradient, a slow one
 * for the input gradient, and its convolution gives zeros where a filter is smaller than its stride.
 */
export const convolutionKernels = {
  Conv2D: ({ x, filter }, attributes, backend, stock) => {
    const { dilationHeight, dilationWidth } = convolutionInfo(x!.shape, filter!.shape, attributes);
    return dilationHeight === 1 && dilationWidth === 1
      ? convolution(x!, filter!, attributes, heapOf(backend))
      : stock({ x: x!, filter: filter! }, explicitPadding(attributes), backend);
  },
  Conv2DBackpropInput: ({ dy, filter }, attributes, backend) =>
    inputGradient(dy!, filter!, attributes, heapOf(backend)),
  Conv2DBackpropFilter: ({ x, dy }, attributes, backend) => filterGradient(x!, dy!, attributes, heapOf(backend)),
} as const satisfies KernelTable;

function geometryOf(inputShape: readonly number[], filterShape: readonly number[], attributes: Attributes): Geometry {
  const info = convolutionInfo(inputShape, filterShape, attributes);
  return {
    images: info.batchSize,
    height: info.inHeight,
    width: info.inWidth,
    channels: info.inChannels,
    filterHeight: info.filterHeight,
    filterWidth: info.filterWidth,
    strideHeight: info.strideHeight,
    strideWidth: info.strideWidth,
    top: info.padInfo.top,
    left: info.padInfo.left,
    outHeight: info.outHeight,
    outWidth: info.outWidth,
    outChannels: info.outChannels,
  };
}

function convolution(x: TensorInfo, filter: TensorInfo, attributes: Attributes, heap: Heap): TensorInfo {
  const geometry = geometryOf(x.shape, filter.shape, attributes);
  const { images, channels, filterHeight, filterWidth, outHeight, outWidth, outChannels } = geometry;
  const y = heap.make([images, outHeight, outWidth, outChannels]);
  const taps = Array.from({ length: filterHeight * filterWidth }, (_, tap) => tap * channels * outChannels);
  const packed = panelsOf(heap, filter, taps, [channels, outChannels], [outChannels, 1]);
  heap.run([
    {
      kind: 'convolution',
      geometry,
      x: heap.placeOf(x),
      filter: packed,
      y: heap.placeOf(y),
      yImage: outHeight * outWidth * outChannels,
      yRow: outWidth * outChannels,
      yPixel: outChannels,
    },
  ]);
  heap.free(packed);
  return y;
}

/** By convolutions of dy with the turned filter: one for each of the stride's phases, with the taps that it meets. */
function inputGradient(dy: TensorInfo, filter: TensorInfo, attributes: Attributes, heap: Heap): TensorInfo {
  const g = geometryOf(attributes.inputShape, filter.shape, attributes);
  const dx = heap.make(attributes.inputShape);
  const tap = g.channels * g.outChannels;
  const task = (rows: Phase, columns: Phase): Task => ({
    kind: 'convolution',
    geometry: {
      images: g.images,
      height: g.outHeight,
      width: g.outWidth,
      channels: g.outChannels,
      filterHeight: rows.taps.length,
      filterWidth: columns.taps.length,
      strideHeight: 1,
      strideWidth: 1,
      top: rows.before,
      left: columns.before,
      outHeight: rows.count,
      outWidth: columns.count,
      outChannels: g.channels,
    },
    x: heap.placeOf(dy),
    filter: panelsOf(
      heap,
      filter,
      rows.taps.flatMap((r) => columns.taps.map((s) => (r * g.filterWidth + s) * tap)),
      [g.outChannels, 1],
      [g.channels, g.outChannels],
    ),
    y: heap.placeOf(dx) + (rows.first * g.width + columns.first) * g.channels,
    yImage: g.height * g.width * g.channels,
    yRow: g.strideHeight * g.width * g.channels,
    yPixel: g.strideWidth * g.channels,
  });
  const vertical = phases(g.height, g.filterHeight, g.strideHeight, g.top);
  const horizontal = phases(g.width, g.filterWidth, g.strideWidth, g.left);
  if (vertical.length < g.strideHeight || horizontal.length < g.strideWidth) {
    heap.at(heap.placeOf(dx), g.images * g.height * g.width * g.channels).fill(0);
  }
  const tasks = vertical.flatMap((rows) => horizontal.map((columns) => task(rows, columns)));
  heap.run(tasks);
  for (const { filter: packed } of tasks as { filter: number }[]) heap.free(packed);
  return dx;
}

function filterGradient(x: TensorInfo, dy: TensorInfo, attributes: Attributes, heap: Heap): TensorInfo {
  const geometry = geometryOf(x.shape, attributes.filterShape, attributes);
  const { images, channels, filterHeight, filterWidth, outChannels } = geometry;
  const dw = heap.make(attributes.filterShape);
  const parts = Math.min(PARTS, images);
  const size = filterGradientSize(geometry);
  const sums = heap.reserve(parts * size);
  heap.at(sums, parts * size).fill(0);
  heap.run([{ kind: 'filterGradient', geometry, x: heap.placeOf(x), dy: heap.placeOf(dy), sums, parts }]);

  const from = heap.at(sums, parts * size);
  const rows = filterWidth * channels;
  const to = heap.at(heap.placeOf(dw), filterHeight * rows * outChannels);
  const columns = wholeColumns(outChannels);
  let at = 0;
  for (let r = 0; r < filterHeight; r++) {
    for (let m = 0; m < rows; m++) {
      for (let k = 0, start = (r * filterRows(geometry) + m) * columns; k < outChannels; k++, start++) {
        let sum = 0;
        for (let part = 0; part < parts; part++) sum += from[start + part * size]!;
        to[at++] = sum;
      }
    }
  }
  heap.free(sums);
  return dw;
}

/** A filter in panels, in memory of its own. */
function panelsOf(
  heap: Heap,
  filter: TensorInfo,
  taps: readonly number[],
  inputs: readonly [number, number],
  outputs: readonly [number, number],
): number {
  const size = panelsSize(taps.length * inputs[0], outputs[0]);
  const panels = heap.reserve(size);
  const whole = filter.shape.reduce((a, b) => a * b, 1);
  toPanels(heap.at(heap.placeOf(filter), whole), taps, inputs, outputs, heap.at(panels, size));
  return panels;
}
