import type { StepData } from '../core/StepData.ts';

/**
 * The edge of stability of the optimizer at a step: (2/η)·(1 + β₁)/(1 + 2β₂), which is 2/η without momentum.
 *
 * On a quadratic loss, gradient descent with generalized momentum diverges along an eigenvector of H exactly when its
 * eigenvalue exceeds this number; on a network, exceeding it proves only that the local quadratic model would diverge.
 *
 * @param step η, β₁ and β₂ are read from it.
 * Source: Lee and Jang (2023), Theorem 2 and equation (131).
 */
export function stabilityEdge({
  learningRate,
  beta1,
  beta2,
}: Pick<StepData, 'learningRate' | 'beta1' | 'beta2'>): number {
  return ((2 / learningRate) * (1 + beta1)) / (1 + 2 * beta2);
}
