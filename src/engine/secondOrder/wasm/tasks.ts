import { type Convolution, convolutionScratch, convolve } from './convolve.ts';
import type { Products } from './products.ts';
import { type FilterGradient, filterGradientScratch, sumFilterGradient } from './sumFilterGradient.ts';

/** Work on numbers in WebAssembly's memory that threads can share: it falls into equal pieces that do not meet. */
export type Task =
  | ({ readonly kind: 'convolution' } & Convolution)
  | ({ readonly kind: 'filterGradient' } & FilterGradient);

export const pieces = (task: Task): number => (task.kind === 'convolution' ? task.geometry.images : task.parts);

/** Floats of scratch that one thread needs. */
export const scratchSize = (task: Task): number =>
  task.kind === 'convolution' ? convolutionScratch(task.geometry) : filterGradientScratch(task.geometry);

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
    if (task.kind === 'convolution') convolve(heap, products, task, scratch, from, to);
    else sumFilterGradient(heap, products, task, scratch, from, to);
  }
}
