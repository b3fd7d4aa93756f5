import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';

/** Sums x over the axes along which `shape` was broadcast to x's. */
export function sumTo(x: Tensor, shape: number[]): Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, x.shape);
  const sum = axes.length > 0 ? tf.sum(x, axes) : x;
  return tf.util.arraysEqual(sum.shape, shape) ? sum : tf.reshape(sum, shape);
}
