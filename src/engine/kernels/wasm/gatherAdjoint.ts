import * as tf from '@tensorflow/tfjs';
import type { Kernel } from '../Kernel.ts';
import { heapOf } from './heap.ts';

/** The adjoint of gather, entry by entry. */
export const gatherAdjoint: Kernel = ({ dy }, { indices, axis, shape }, backend) => {
  const [outer, inner] = [shape.slice(0, axis), shape.slice(axis + 1)].map(tf.util.sizeFromShape) as [number, number];
  const heap = heapOf(backend);
  const output = heap.zeros(shape);
  const [to, from, places] = [output, dy!, indices].map(heap.numbers) as [Float32Array, Float32Array, Float32Array];
  let at = 0;
  for (let p = 0; p < outer; p++) {
    for (const place of places) {
      const start = (p * shape[axis] + place) * inner;
      for (let k = 0; k < inner; k++) to[start + k]! += from[at++]!;
    }
  }
  return output;
};
