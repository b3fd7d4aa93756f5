import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { Attributes, Inputs } from '../Kernel.ts';

/**
 * Adds the entries of dy along an axis to the places from which `indices` took them, in a tensor of the shape given.
 *
 * As a matrix product: row p of the first factor is one where the index is p. It takes (places × indices) numbers for a
 * while, and adds in the same order each time.
 */
export function gatherAdjoint({ dy }: Inputs, { indices, axis, shape }: Attributes): Tensor {
  const [outer, inner] = [shape.slice(0, axis), shape.slice(axis + 1)].map(tf.util.sizeFromShape) as [number, number];
  return tf.tidy(() => {
    const places = tf.range(0, shape[axis], 1, 'int32');
    const taken = tf.cast(tf.equal(places.expandDims(1), tf.reshape(indices, [1, indices.size])), 'float32');
    const sums = tf.matMul(taken.expandDims(), tf.reshape(dy!, [outer, indices.size, inner]));
    return tf.reshape(sums, shape);
  });
}
