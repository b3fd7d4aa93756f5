import * as tf from '@tensorflow/tfjs';
import type { Kernel } from '../Kernel.ts';
import { tensorOf } from './tensorOf.ts';

/**
 * A backend's products of batches of matrices, for batches that are broadcast: [2, 1, T, d] by [1, 3, d, k] is six
 * products. TensorFlow.js's own kernels count the batches of one factor then, and give other numbers without an error.
 */
export const matrixProduct: Kernel = ({ a, b }, attributes, backend, stock) => {
  const [left, right] = [a!.shape.slice(0, -2), b!.shape.slice(0, -2)];
  const isOne = (batches: number[]) => tf.util.sizeFromShape(batches) === 1;
  if (tf.util.arraysEqual(left, right) || isOne(left) || isOne(right)) {
    return stock({ a: a!, b: b! }, attributes, backend);
  }
  const batches = tf.broadcast_util.assertAndGetBroadcastShape(left, right);
  return tf.tidy(() => {
    const [first, second] = [a!, b!].map((x) => tf.broadcastTo(x, [...batches, ...x.shape.slice(-2)]));
    return tensorOf(stock({ a: first!, b: second! }, attributes, backend));
  });
};
