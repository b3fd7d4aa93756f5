import type { TensorInfo } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { Heap } from './heap.ts';
import { MOST_THREADS } from './sharedBackend.ts';

/** Σ or mean over axes, accumulated in float64. */
export function sumInDouble(
  x: TensorInfo,
  axis: number | number[],
  keepDims: boolean,
  mean: boolean,
  heap: Heap,
): TensorInfo {
  const axes = tf.util.parseAxisParam(axis, x.shape);
  const kept = x.shape.map((d, i) => (axes.includes(i) ? 1 : d));
  const outShape = keepDims ? kept : x.shape.filter((_, i) => !axes.includes(i));
  const output = heap.make(outShape);
  const leading = axes.length === x.shape.length - 1 && !axes.includes(x.shape.length - 1);
  if (leading && kept.at(-1)! % 4 === 0 && x.shape.every((d) => d > 0)) {
    sumLeadingAxes(x, output, mean, heap);
    return output;
  }
  const [from, to] = [heap.numbers(x), heap.numbers(output)];
  const sums = new Float64Array(to.length);
  // How far the output moves when an input axis moves by one; 0 along the axes that are summed.
  const outStrides = tf.util.computeStrides([...kept, 1]).map((stride, i) => (axes.includes(i) ? 0 : stride));
  const index = new Array<number>(x.shape.length).fill(0);
  const inner = x.shape.at(-1) ?? 1;
  const innerStride = outStrides.at(-1) ?? 0;
  for (let start = 0, at = 0; start < from.length; start += inner) {
    if (innerStride === 0) {
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += from[start + k]!;
      sums[at]! += sum;
    } else for (let k = 0; k < inner; k++) sums[at + k]! += from[start + k]!;
    for (let d = x.shape.length - 2; d >= 0; d--) {
      at += outStrides[d]!;
      index[d]!++;
      if (index[d]! < x.shape[d]!) break;
      at -= outStrides[d]! * x.shape[d]!;
      index[d] = 0;
    }
  }
  const scale = mean ? to.length / from.length : 1;
  for (let k = 0; k < to.length; k++) to[k] = sums[k]! * scale;
  return output;
}

/** Over all axes but the last, whose length is a multiple of 4. */
function sumLeadingAxes(x: TensorInfo, output: TensorInfo, mean: boolean, heap: Heap): void {
  const columns = x.shape.at(-1)!;
  const rows = tf.util.sizeFromShape(x.shape) / columns;
  const size = 2 * MOST_THREADS * columns;
  const sums = heap.reserve(size);
  heap.at(sums, size).fill(0);
  heap.run([{ kind: 'columnSums', matrix: heap.placeOf(x), rows, columns, sums, parts: MOST_THREADS }]);
  const doubles = heap.doublesAt(sums, MOST_THREADS * columns);
  const to = heap.at(heap.placeOf(output), columns);
  for (let k = 0; k < columns; k++) {
    let sum = 0;
    for (let part = 0; part < MOST_THREADS; part++) sum += doubles[part * columns + k]!;
    to[k] = mean ? sum / rows : sum;
  }
  heap.free(sums);
}
