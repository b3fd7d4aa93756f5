import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { Attributes, Inputs } from '../Kernel.ts';

/** The adjoint of gather by TensorFlow's sum over segments. */
export function gatherAdjoint({ dy }: Inputs, { indices, axis, shape }: Attributes): Tensor {
  const [outer, inner] = [shape.slice(0, axis), shape.slice(axis + 1)].map(tf.util.sizeFromShape) as [number, number];
  return tf.tidy(() => {
    const rows = tf.transpose(tf.reshape(dy!, [outer, indices.size, inner]), [1, 0, 2]);
    const sums = tf.unsortedSegmentSum(rows, tf.reshape(indices, [indices.size]), shape[axis]);
    return tf.reshape(tf.transpose(sums, [1, 0, 2]), shape);
  });
}
