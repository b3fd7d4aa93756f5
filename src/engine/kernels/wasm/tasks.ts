import { type ColumnSums, sumColumns } from './columnSums.ts';
import { type Convolution, convolutionScratch, convolve } from './convolve.ts';
import type { Loops } from './loops.ts';
import { type MatrixProduct, matrixPieces, matrixScratch, multiplyMatrices } from './multiplyMatrices.ts';
import { keepPositivePart, type PositivePart, positivePieces } from './positivePart.ts';
import { type FilterGradient, filterGradientScratch, sumFilterGradient } from './sumFilterGradient.ts';

/** Work on numbers in WebAssembly's memory that threads can share: it falls into pieces that do not meet. */
export type Task =
  | ({ readonly kind: 'convolution' } & Convolution)
  | ({ readonly kind: 'filterGradient' } & FilterGradient)
  | ({ readonly kind: 'matrixProduct' } & MatrixProduct)
  | ({ readonly kind: 'columnSums' } & ColumnSums)
  | ({ readonly kind: 'positivePart' } & PositivePart);

/** What reading a float from memory takes, in multiplications that take as long. */
const PASS = 8;

function pieces(task: Task): number {
  switch (task.kind) {
    case 'convolution':
      return task.geometry.images;
    case 'filterGradient':
    case 'columnSums':
      return task.parts;
    case 'matrixProduct':
      return matrixPieces(task);
    case 'positivePart':
      return positivePieces(task);
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
    case 'columnSums':
    case 'positivePart':
      return 0;
  }
}

/** About how many multiplications take as long. */
export function workOf(task: Task): number {
  switch (task.kind) {
    case 'matrixProduct':
      return task.batches * task.rows * task.inner * task.columns;
    case 'columnSums':
      return PASS * task.rows * task.columns;
    case 'positivePart':
      return PASS * task.size;
    default: {
      const g = task.geometry;
      return g.images * g.outHeight * g.outWidth * g.filterHeight * g.filterWidth * g.channels * g.outChannels;
    }
  }
}

/** Does the share of one thread, the `index`-th of `count`, of every task. */
export function runShare(
  heap: Float32Array,
  loops: Loops,
  tasks: readonly Task[],
  scratch: number,
  index: number,
  count: number,
): void {
  for (const task of tasks) {
    const [from, to] = [index, index + 1].map((k) => Math.floor((k * pieces(task)) / count)) as [number, number];
    switch (task.kind) {
      case 'convolution':
        convolve(heap, loops, task, scratch, from, to);
        break;
      case 'filterGradient':
        sumFilterGradient(heap, loops, task, scratch, from, to);
        break;
      case 'matrixProduct':
        multiplyMatrices(heap, loops, task, scratch, from, to);
        break;
      case 'columnSums':
        sumColumns(loops, task, from, to);
        break;
      case 'positivePart':
        keepPositivePart(loops, task, from, to);
        break;
    }
  }
}
