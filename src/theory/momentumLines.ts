import type { StepData } from '../core/StepData.ts';

/** Where the batch sharpness of SGD with momentum is said to settle. */
export interface MomentumLines {
  /** 2(1 − β₁)/η, for small batches. */
  readonly smallBatch: number;
  /** 2(1 + β₁)/η, for large ones: the edge of stability of Polyak's momentum. */
  readonly largeBatch: number;
}

/**
 * The two lines for the batch sharpness of SGD with Polyak's momentum (β₂ = 0); null with a look-ahead (β₂ ≠ 0), of
 * which nothing is said.
 *
 * Where one turns into the other is not said either: a measured batch sharpness lies between them.
 *
 * @param step η, β₁ and β₂ are read from it.
 * Source: arXiv 2604.14108, a preprint.
 */
export function momentumLines({
  learningRate,
  beta1,
  beta2,
}: Pick<StepData, 'learningRate' | 'beta1' | 'beta2'>): MomentumLines | null {
  if (beta2 !== 0) return null;
  return { smallBatch: (2 * (1 - beta1)) / learningRate, largeBatch: (2 * (1 + beta1)) / learningRate };
}
