import * as tf from '@tensorflow/tfjs-core';
import type { Loss } from '../engine/Loss.ts';

/**
 * Squared error, ℓ = ½ Σ_c (f_c − y_c)²: the sum over the outputs f [B, C], not their mean; y [B, C].
 *
 * Squares leave float32 before f − y does. Where a loss comes below 1e-27 or is infinite, a further forward pass gives
 * it from residuals of another size, so that it is right as far as f − y is.
 *
 * The mean is the one over examples, in L. Sharpness scales with ℓ: a library that divides by C has λ_1 smaller by C.
 */
export const meanSquaredError: Loss = {
  name: 'meanSquaredError',
  config: {},
  degree: 2,
  perExample: (outputs, targets) => {
    const residual = tf.sub(outputs, targets);
    return tf.mul(tf.sum(tf.mul(residual, residual), -1), 0.5);
  },
};
