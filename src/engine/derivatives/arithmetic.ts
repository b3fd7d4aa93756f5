import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { DerivativeTable } from './Derivative.ts';
import { sumTo } from './sumTo.ts';

/**
 * Derivatives of +, −, · and squares without what they rarely need.
 *
 * TensorFlow.js casts and reshapes in each of them whether or not it has to: half of the operations of a small
 * network's Hessian-vector product.
 */
export const arithmetic: DerivativeTable = {
  Add: {
    inputs: ['a', 'b'],
    gradient: (dy, [a, b]) => ({
      a: () => sumTo(dy.clone(), a!.shape),
      b: () => sumTo(dy.clone(), b!.shape),
    }),
  },
  Sub: {
    inputs: ['a', 'b'],
    gradient: (dy, [a, b]) => ({
      a: () => sumTo(dy.clone(), a!.shape),
      b: () => sumTo(tf.neg(dy), b!.shape),
    }),
  },
  Multiply: {
    inputs: ['a', 'b'],
    gradient: (dy, [a, b]) => ({
      a: () => sumTo(tf.mul(dy, float(b!)), a!.shape),
      b: () => sumTo(tf.mul(dy, float(a!)), b!.shape),
    }),
  },
  // TensorFlow.js's own returns a gradient of the wrong shape where an input was broadcast.
  SquaredDifference: {
    inputs: ['a', 'b'],
    gradient: (dy, [a, b]) => {
      const change = () => tf.mul(dy, tf.mul(tf.sub(a!, b!), 2));
      return { a: () => sumTo(change(), a!.shape), b: () => sumTo(tf.neg(change()), b!.shape) };
    },
  },
  Square: { inputs: ['x'], gradient: (dy, [x]) => ({ x: () => tf.mul(dy, tf.mul(float(x!), 2)) }) },
};

const float = (x: Tensor): Tensor => (x.dtype === 'float32' ? x : tf.cast(x, 'float32'));
