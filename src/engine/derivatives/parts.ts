import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { DerivativeTable } from './Derivative.ts';

/** Of operations with several outputs: one ∂/∂ each, of a single output that alone. */
const each = (dy: Tensor | Tensor[]) => [dy].flat();

/** Derivatives of taking a tensor apart; TensorFlow.js's own end in an error where there is one part. */
export const parts: DerivativeTable = {
  Unpack: { gradient: (dy, _needed, { axis }) => ({ value: () => tf.stack(each(dy), axis) }) },
  SplitV: { gradient: (dy, _needed, { axis }) => ({ x: () => tf.concat(each(dy), axis) }) },
};
