import type { Tensor, TensorInfo } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { Kernel } from '../Kernel.ts';

/** What a kernel returned, which on some backends is a tensor already. */
const tensorOf = (info: TensorInfo): Tensor =>
  info instanceof tf.Tensor ? info : tf.engine().makeTensorFromTensorInfo(info);

/**
 * TensorFlow.js's kernel of a pool over windows of x, with NaN for a window that holds one: by itself it passes NaN over
 * for the other entries, or takes it for −∞, and a network that has left the numbers has a finite loss again.
 */
export const keepNaN: Kernel = (inputs, attributes, backend, stock) =>
  tf.tidy(() => {
    const y = tensorOf(stock(inputs, attributes, backend));
    const x = tf.cast(tf.isNaN(inputs.x!), 'float32');
    const holds = tensorOf(stock({ x }, attributes, backend));
    return tf.where(tf.greater(holds, 0), tf.fill(y.shape, Number.NaN), y);
  });
