import * as tf from '@tensorflow/tfjs';
import type { DerivativeTable } from './Derivative.ts';

/**
 * The derivative of a running sum: the running sum from the other end.
 *
 * TensorFlow.js exchanges axes in it where the sum does not run along the last.
 */
export const cumsum: DerivativeTable = {
  Cumsum: {
    gradient: (dy, _needed, { axis, exclusive, reverse }) => ({ x: () => tf.cumsum(dy, axis, exclusive, !reverse) }),
  },
};
