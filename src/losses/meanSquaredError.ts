import * as tf from '@tensorflow/tfjs-core';
import type { Loss } from '../engine/Loss.ts';

/**
 * Squared error, ℓ = ½ Σ_c (f_c − y_c)²: the sum over the outputs f [B, C], not their mean; y [B, C].
 *
 * Squares leave float32 before f − y does: one below 1e-19 counts as 0, one above 1e19 is infinite, which stops a run.
 *
 * The mean is the one over examples, in L. Sharpness scales with ℓ: a library that divides by C has λ_1 smaller by C.
 */
export const meanSquaredError: Loss = {
  name: 'meanSquaredError',
  config: {},
  perExample: (outputs, targets) => {
    const residual = tf.sub(outputs, targets);
    return tf.mul(tf.sum(tf.mul(residual, residual), -1), 0.5);
  },
};
