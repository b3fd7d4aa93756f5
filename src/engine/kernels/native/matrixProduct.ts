import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { Kernel } from '../Kernel.ts';
import { tensorOf } from '../portable/tensorOf.ts';

/**
 * TensorFlow's products of batches of matrices; it broadcasts batches itself.
 *
 * A batch of several axes by a single matrix goes to it as a batch of one axis: oneDNN's product of [B, 1, T, d] by
 * [d, k] writes beside its output.
 */
export const matrixProduct: Kernel = ({ a, b }, attributes, backend, stock) => {
  const [left, right] = [a!.shape.slice(0, -2), b!.shape.slice(0, -2)];
  const isSingle = [left, right].some((batches) => tf.util.sizeFromShape(batches) === 1);
  if (!isSingle || (left.length < 2 && right.length < 2)) return stock({ a: a!, b: b! }, attributes, backend);
  const batches = tf.broadcast_util.assertAndGetBroadcastShape(left, right);
  return tf.tidy(() => {
    const flat = (x: Tensor) => tf.reshape(x, [-1, ...x.shape.slice(-2)]);
    const product = tensorOf(stock({ a: flat(a!), b: flat(b!) }, attributes, backend));
    return tf.reshape(product, [...batches, ...product.shape.slice(-2)]);
  });
};
