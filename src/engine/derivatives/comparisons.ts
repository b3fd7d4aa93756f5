import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { Derivative, DerivativeTable } from './Derivative.ts';

const zerosLike = (x: Tensor) => () => tf.zeros(x.shape);
const ofTwo: Derivative = { inputs: ['a', 'b'], gradient: (_dy, [a, b]) => ({ a: zerosLike(a!), b: zerosLike(b!) }) };

/**
 * Comparisons, and casts to whole numbers, are constant almost everywhere; TensorFlow.js hands dy on through a cast.
 */
export const comparisons: DerivativeTable = {
  Equal: ofTwo,
  NotEqual: ofTwo,
  Greater: ofTwo,
  GreaterEqual: ofTwo,
  Less: ofTwo,
  LessEqual: ofTwo,
  LogicalAnd: ofTwo,
  LogicalOr: ofTwo,
  Cast: {
    gradient: (dy, _needed, { dtype }) => ({ x: () => (dtype === 'float32' ? dy.clone() : tf.zeros(dy.shape)) }),
  },
  LogicalNot: { inputs: ['x'], gradient: (_dy, [x]) => ({ x: zerosLike(x!) }) },
};
