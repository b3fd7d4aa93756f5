import * as tf from '@tensorflow/tfjs-core';
import { logSumExp } from '../engine/kernels/ops.ts';
import type { Loss } from '../engine/Loss.ts';

/**
 * Softmax cross-entropy, ℓ = log Σ_c exp z_c − Σ_c y_c z_c, natural logarithm; z [B, C] logits, y [B, C] with rows
 * that sum to one.
 *
 * ∂ℓ/∂z = softmax(z) − y. A small loss is a difference of logits, so in float32 its error is about 1e-7 of the
 * largest one.
 */
export const crossEntropy: Loss = {
  name: 'crossEntropy',
  config: {},
  targetsAreShares: true,
  outputsAreLogits: true,
  perExample: (outputs, targets) => tf.sub(logSumExp(outputs), tf.sum(tf.mul(targets, outputs), -1)),
};
