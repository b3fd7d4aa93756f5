import * as tf from '@tensorflow/tfjs';
import type { KernelTable } from '../Kernel.ts';
import { leadingAxes } from '../leadingAxes.ts';
import { batchStatistics } from './batchStatistics.ts';

/** Batch normalisation y = γ x̂ + β by the batch's own statistics, ∂⟨y, dy⟩/∂x = γ r P dy, ∂⟨y, dy⟩/∂γ = Σ x̂ dy. */
export const batchNormKernels = {
  BatchNorm: ({ x, gamma, beta }, { epsilon }) =>
    tf.tidy(() => tf.add(tf.mul(batchStatistics(x!, epsilon).xHat, gamma!), beta!)),
  BatchNormInput: ({ x, gamma, dy }, { epsilon }) =>
    tf.tidy(() => {
      const { r, project } = batchStatistics(x!, epsilon);
      return tf.mul(tf.mul(gamma!, r), project(dy!));
    }),
  BatchNormScale: ({ x, dy }, { epsilon }) =>
    tf.tidy(() => tf.sum(tf.mul(batchStatistics(x!, epsilon).xHat, dy!), leadingAxes(dy!))),
} as const satisfies KernelTable;
