import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { Derivative, DerivativeTable } from './Derivative.ts';

const zerosLike = (x: Tensor) => () => tf.zeros(x.shape);
const ofTwo: Derivative = { inputs: ['a', 'b'], gradient: (_dy, [a, b]) => ({ a: zerosLike(a!), b: zerosLike(b!) }) };

/** Comparisons are constant almost everywhere. */
export const comparisons: DerivativeTable = {
  Equal: ofTwo,
  NotEqual: ofTwo,
  Greater: ofTwo,
  GreaterEqual: ofTwo,
  Less: ofTwo,
  LessEqual: ofTwo,
  LogicalAnd: ofTwo,
  LogicalOr: ofTwo,
  LogicalNot: { inputs: ['x'], gradient: (_dy, [x]) => ({ x: zerosLike(x!) }) },
};
