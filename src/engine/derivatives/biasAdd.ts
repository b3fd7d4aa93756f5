import * as tf from '@tensorflow/tfjs';
import { leadingAxes } from '../kernels/leadingAxes.ts';
import type { DerivativeTable } from './Derivative.ts';

/** x + b as a kernel of its own: the derivative of add keeps both terms, this one keeps neither. */
export const biasAdd: DerivativeTable = {
  BiasAdd: {
    gradient: (dy) => ({
      x: () => dy.clone(),
      b: () => (dy.rank <= 1 ? dy.clone() : tf.sum(dy, leadingAxes(dy))),
    }),
  },
};
