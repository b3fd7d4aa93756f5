import * as tf from '@tensorflow/tfjs';
import { leadingAxes } from '../kernels/leadingAxes.ts';
import { batchStatistics } from '../kernels/portable/batchStatistics.ts';
import { runKernel } from '../kernels/runKernel.ts';
import type { DerivativeTable } from './Derivative.ts';

/**
 * Batch normalisation with the batch's own statistics, closed to second order in three kernels that keep nothing but
 * their inputs.
 *
 * With x̂ = r (x − mean x), r = 1/√(var x + ε), and P d = d − mean d − x̂ mean(x̂ d), which is symmetric, all means
 * over every axis but the last:
 *   y = γ x̂ + β,  D(x, γ, dy) = ∂⟨y, dy⟩/∂x = γ r P dy,  S(x, dy) = ∂⟨y, dy⟩/∂γ = Σ x̂ dy,
 *   ∂⟨D, c⟩/∂dy = D(x, γ, c),  ∂⟨D, c⟩/∂γ = r Σ c P dy,
 *   ∂⟨D, c⟩/∂x = −γ r² (x̂ mean(c P dy) + mean(x̂ dy) P c + mean(x̂ c) P dy),
 *   ∂⟨S, q⟩/∂dy = q x̂,  ∂⟨S, q⟩/∂x = D(x, q, dy).
 */
export const batchNorm: DerivativeTable = {
  BatchNorm: {
    inputs: ['x', 'gamma'],
    gradient: (dy, [x, gamma], { epsilon }) => ({
      x: () => runKernel('BatchNormInput', { x: x!, gamma: gamma!, dy }, { epsilon }),
      gamma: () => runKernel('BatchNormScale', { x: x!, dy }, { epsilon }),
      beta: () => tf.sum(dy, leadingAxes(dy)),
    }),
  },
  BatchNormInput: {
    inputs: ['x', 'gamma', 'dy'],
    gradient: (c, [x, gamma, dy], { epsilon }) => ({
      dy: () => runKernel('BatchNormInput', { x: x!, gamma: gamma!, dy: c }, { epsilon }),
      gamma: () => {
        const { r, project } = batchStatistics(x!, epsilon);
        return tf.mul(tf.reshape(r, [-1]), tf.sum(tf.mul(c, project(dy!)), leadingAxes(c)));
      },
      x: () => {
        const { xHat, r, mean, project } = batchStatistics(x!, epsilon);
        const projected = project(dy!);
        const sum = tf.add(
          tf.mul(xHat, mean(tf.mul(c, projected))),
          tf.add(tf.mul(mean(tf.mul(xHat, dy!)), project(c)), tf.mul(mean(tf.mul(xHat, c)), projected)),
        );
        return tf.neg(tf.mul(tf.mul(gamma!, tf.square(r)), sum));
      },
    }),
  },
  BatchNormScale: {
    inputs: ['x', 'dy'],
    gradient: (q, [x, dy], { epsilon }) => ({
      dy: () => tf.mul(batchStatistics(x!, epsilon).xHat, q),
      x: () => runKernel('BatchNormInput', { x: x!, gamma: q, dy: dy! }, { epsilon }),
    }),
  },
};
