import { type Convolution, convolutionScratch, convolve } from './convolve.ts';
import { type MatrixProduct, matrixPieces, matrixScratch, multiplyMatrices } from './multiplyMatrices.ts';
import type { Products } from './products.ts';
import { type FilterGradient, filterGradientScratch, sumFilterGradient } from './sumFilterGradient.ts';

/** Work on numbers in WebAssembly's memory that threads can share: it falls into pieces that do not meet. */
export type Task =
  | ({ readonly kind: 'convolution' } & Convolution)
  | ({ readonly kind: 'filterGradient' } & FilterGradient)
  | ({ readonly kind: 'matrixProduct' } & MatrixProduct);

function pieces(task: Task): number {
  switch (task.kind) {
    case 'convolution':
      return task.geometry.images;
    case 'filterGradient':
      return task.parts;
    case 'matrixProduct':
      return matrixPieces(task);
  }
}

/** Floats of scratch that one thread needs. */
export function scratchSize(task: Task): number {
  switch (task.kind) {
    case 'convolution':
      return convolutionScratch(task.geometry);
    case 'filterGradient':
      return filterGradientScratch(task.geometry);
    case 'matrixProduct':
      return matrixScratch(task);
  }
}

/** Multiplications, about. */
export function workOf(task: Task): number {
  if (task.kind === 'matrixProduct') return task.batches * task.rows * task.inner * task.columns;
  const g = task.geometry;
  return g.images * g.outHeight * g.outWidth * g.filterHeight * g.filterWidth * g.channels * g.outChannels;
}

/** Does the share of one thread, the `index`-th of `count`, of every task. */
export function runShare(
  heap: Float32Array,
  products: Products,
  tasks: readonly Task[],
  scratch: number,
  index: number,
  count: number,
): void {
  for (const task of tasks) {
    const [from, to] = [index, index + 1].map((k) => Math.floor((k * pieces(task)) / count)) as [number, number];
    switch (task.kind) {
      case 'convolution':
        convolve(heap, products, task, scratch, from, to);
        break;
      case 'filterGradient':
        sumFilterGradient(heap, products, task, scratch, from, to);
        break;
      case 'matrixProduct':
        multiplyMatrices(heap, products, task, scratch, from, to);
        break;
    }
  }
}
