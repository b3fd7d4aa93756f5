import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { Derivative, DerivativeTable } from './Derivative.ts';
import { sumTo } from './sumTo.ts';

/**
 * Derivatives of +, −, ·, squares, and the larger or smaller of two, without what they rarely need.
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
  // TensorFlow.js's own, here and below, return a gradient of the wrong shape where an input was broadcast.
  SquaredDifference: {
    inputs: ['a', 'b'],
    gradient: (dy, [a, b]) => {
      const change = () => tf.mul(dy, tf.mul(tf.sub(a!, b!), 2));
      return { a: () => sumTo(change(), a!.shape), b: () => sumTo(tf.neg(change()), b!.shape) };
    },
  },
  Maximum: ofChosen(tf.greaterEqual, tf.less),
  Minimum: ofChosen(tf.lessEqual, tf.greater),
  Square: { inputs: ['x'], gradient: (dy, [x]) => ({ x: () => tf.mul(dy, tf.mul(float(x!), 2)) }) },
};

/** dy goes to the one of the two whose condition holds. */
function ofChosen(first: typeof tf.less, second: typeof tf.less): Derivative {
  const masked = (dy: Tensor, condition: Tensor) => tf.mul(dy, tf.cast(condition, 'float32'));
  return {
    inputs: ['a', 'b'],
    gradient: (dy, [a, b]) => ({
      a: () => sumTo(masked(dy, first(a!, b!)), a!.shape),
      b: () => sumTo(masked(dy, second(a!, b!)), b!.shape),
    }),
  };
}

const float = (x: Tensor): Tensor => (x.dtype === 'float32' ? x : tf.cast(x, 'float32'));
