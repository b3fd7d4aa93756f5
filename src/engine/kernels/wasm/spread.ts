import type { Kernel } from '../Kernel.ts';
import { heapOf } from './heap.ts';

/** x over a shape that is longer along axes on which x has length one. */
export const spread: Kernel = ({ x }, { shape }, backend) => {
  const heap = heapOf(backend);
  const output = heap.make(shape);
  repeat(heap.numbers(x!), x!.shape, heap.numbers(output), shape);
  return output;
};

/** Repeats `from` along each axis on which it has length one. */
function repeat(from: Float32Array, fromShape: readonly number[], to: Float32Array, toShape: readonly number[]): void {
  /** Writes what the axes from `axis` on hold to `at`, and says how much it is. */
  const fill = (axis: number, start: number, block: number, at: number): number => {
    if (axis === toShape.length) {
      to[at] = from[start]!;
      return 1;
    }
    const inner = block / fromShape[axis]!;
    if (fromShape[axis] === toShape[axis]) {
      let written = 0;
      if (axis === toShape.length - 1) {
        to.set(from.subarray(start, start + block), at);
        written = block;
      } else for (let k = 0; k < block / inner; k++) written += fill(axis + 1, start + k * inner, inner, at + written);
      return written;
    }
    const once = fill(axis + 1, start, inner, at);
    const all = once * toShape[axis]!;
    for (let done = once; done < all; done *= 2) to.copyWithin(at + done, at, at + Math.min(done, all - done));
    return all;
  };
  if (to.length > 0) fill(0, 0, from.length, 0);
}
