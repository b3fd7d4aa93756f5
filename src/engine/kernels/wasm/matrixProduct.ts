import type { TensorInfo } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { Attributes, Inputs } from '../Kernel.ts';
import { heapOf } from './heap.ts';
import { panelsSize, toPanels } from './panels.ts';

/**
 * Matrix products on WebAssembly. TensorFlow.js's are slow where a factor is transposed, and remember the right factor
 * under its data, whatever its shape: the same data in another shape gives wrong numbers or an abort.
 *
 * As many matrices on the left as on the right, or one on a side.
 */
export function matrixProduct({ a, b }: Inputs, { transposeA, transposeB }: Attributes, backend: object): TensorInfo {
  const heap = heapOf(backend);
  const [aRows, aColumns] = a!.shape.slice(-2) as [number, number];
  const [bRows, bColumns] = b!.shape.slice(-2) as [number, number];
  const [rows, inner] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const columns = transposeB ? bRows : bColumns;
  const [aBatches, bBatches] = [a!, b!].map(({ shape }) => tf.util.sizeFromShape(shape.slice(0, -2))) as [
    number,
    number,
  ];
  const batches = tf.broadcast_util.assertAndGetBroadcastShape(a!.shape.slice(0, -2), b!.shape.slice(0, -2));

  // Loops run at least once.
  if (inner === 0) return heap.zeros([...batches, rows, columns]);
  const product = heap.make([...batches, rows, columns]);
  const size = panelsSize(inner, columns);
  const panels = heap.reserve(bBatches * size);
  for (let batch = 0; batch < bBatches; batch++) {
    toPanels(
      heap.at(heap.placeOf(b!) + batch * bRows * bColumns, bRows * bColumns),
      [0],
      [inner, transposeB ? 1 : bColumns],
      [columns, transposeB ? bColumns : 1],
      heap.at(panels + batch * size, size),
    );
  }
  heap.run([
    {
      kind: 'matrixProduct',
      batches: tf.util.sizeFromShape(batches),
      rows,
      inner,
      columns,
      a: heap.placeOf(a!),
      aBatch: aBatches === 1 ? 0 : aRows * aColumns,
      aRow: transposeA ? 1 : aColumns,
      aInner: transposeA ? aColumns : 1,
      b: panels,
      bBatch: bBatches === 1 ? 0 : size,
      product: heap.placeOf(product),
    },
  ]);
  heap.free(panels);
  return product;
}
