import * as tf from '@tensorflow/tfjs';
import type { Kernel } from '../Kernel.ts';
import { tensorOf } from './tensorOf.ts';

/**
 * A kernel of a pool over windows of x, with NaN for a window that holds one: TensorFlow.js's by itself passes NaN over
 * for the other entries, or takes it for −∞, and a network that has left the numbers has a finite loss again.
 */
export const keepNaN =
  (pool: Kernel): Kernel =>
  (inputs, attributes, backend, stock) =>
    tf.tidy(() => {
      const y = tensorOf(pool(inputs, attributes, backend, stock));
      const x = tf.cast(tf.isNaN(inputs.x!), 'float32');
      const holds = tensorOf(pool({ x }, attributes, backend, stock));
      return tf.where(tf.greater(holds, 0), tf.fill(y.shape, Number.NaN), y);
    });
