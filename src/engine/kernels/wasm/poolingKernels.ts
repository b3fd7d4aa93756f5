import type { KernelTable } from '../Kernel.ts';
import { type PoolInfo, poolInfo } from '../poolInfo.ts';
import { heapOf } from './heap.ts';

/** The derivatives of pooling, window by window. */
export const poolingKernels = {
  MaxPoolScatter: ({ dy }, { x, y, ...attributes }, backend) => {
    const heap = heapOf(backend);
    const output = heap.zeros(x.shape);
    const [out, values] = [heap.numbers(output), heap.numbers(dy!)];
    const places = firstMaxima(heap.numbers(x), heap.numbers(y), poolInfo(x.shape, attributes));
    places.forEach((place, at) => {
      if (place >= 0) out[place]! += values[at]!;
    });
    return output;
  },
  MaxPoolGather: ({ c }, { x, y, ...attributes }, backend) => {
    const heap = heapOf(backend);
    const output = heap.zeros(y.shape);
    const [out, values] = [heap.numbers(output), heap.numbers(c!)];
    const places = firstMaxima(heap.numbers(x), heap.numbers(y), poolInfo(x.shape, attributes));
    places.forEach((place, at) => {
      if (place >= 0) out[at] = values[place]!;
    });
    return output;
  },
  AvgPoolSpread: ({ dy }, { inputShape, ...attributes }, backend) => {
    const heap = heapOf(backend);
    const output = heap.zeros(inputShape);
    spreadAverages(heap.numbers(dy!), heap.numbers(output), poolInfo(inputShape, attributes));
    return output;
  },
} as const satisfies KernelTable;

/** Calls `use` with the place of each window in y, and the places of its entries in x: of their first channels. */
function eachWindow(info: PoolInfo, use: (at: number, entries: readonly number[]) => void): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, padInfo } = info;
  let at = 0;
  for (let n = 0; n < batchSize; n++) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++, at += inChannels) {
        const entries: number[] = [];
        for (let r = 0, h = i * info.strideHeight - padInfo.top; r < info.filterHeight; r++, h++) {
          if (h < 0 || h >= inHeight) continue;
          for (let s = 0, w = j * info.strideWidth - padInfo.left; s < info.filterWidth; s++, w++) {
            if (w >= 0 && w < inWidth) entries.push(((n * inHeight + h) * inWidth + w) * inChannels);
          }
        }
        use(at, entries);
      }
    }
  }
}

/** The place in x of each window's first maximum; −1 where a NaN leaves it without one: that is in the loss already. */
function firstMaxima(x: Float32Array, y: Float32Array, info: PoolInfo): Int32Array {
  const places = new Int32Array(y.length).fill(-1);
  eachWindow(info, (at, entries) => {
    // Backwards, so that the first has the last word.
    for (let k = entries.length - 1; k >= 0; k--) {
      const start = entries[k]!;
      for (let c = 0; c < info.inChannels; c++) if (x[start + c] === y[at + c]) places[at + c] = start + c;
    }
  });
  return places;
}

/** Every entry gets its windows' dy, each divided by the number of entries that the window has within the image. */
function spreadAverages(dy: Float32Array, out: Float32Array, info: PoolInfo): void {
  eachWindow(info, (at, entries) => {
    for (const start of entries) {
      for (let c = 0; c < info.inChannels; c++) out[start + c]! += dy[at + c]! / entries.length;
    }
  });
}
