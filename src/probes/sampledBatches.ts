import type { Point } from '../core/Objective.ts';
import { drawBatch, generator } from '../linalg/random.ts';
import { dot } from '../linalg/vector.ts';
import type { SecondMoment } from './gradientNoise.ts';

/** Which batches: draw k of step t and size b is a function of (seed, t, b, k). */
export interface SampledBatchesOptions {
  readonly seed: number;
  readonly step: number;
  readonly batchSize: number;
  readonly replacement: boolean;
  readonly draws: number;
}

/** The batch of one draw. */
export function sampledBatch(
  n: number,
  { seed, step, batchSize, replacement }: SampledBatchesOptions,
  k: number,
): Int32Array {
  return drawBatch(generator(seed, step, batchSize, k), n, batchSize, replacement);
}

/**
 * tr(S_b) = E_ξ‖g_ξ‖² and tr(H S_b) = E_ξ[g_ξᵀ H g_ξ] over K sampled batches: the paper's estimator, against which the others
 * are checked, and the only one where examples are coupled by batch normalisation.
 *
 * Cost: b/n gradients and one product a draw.
 * Source: Lee and Jang (2023), Definition 1.
 */
export async function sampledSecondMoment(point: Point, options: SampledBatchesOptions): Promise<SecondMoment> {
  const traceS = new Float64Array(options.draws);
  const traceHS = new Float64Array(options.draws);
  for (let k = 0; k < options.draws; k++) {
    const { gradient } = await point.batchGradient(sampledBatch(point.objective.exampleCount, options, k));
    const { product } = await point.hessianVector(gradient);
    traceS[k] = dot(gradient, gradient);
    traceHS[k] = dot(gradient, product);
  }
  return { exact: { traceS: 0, traceHS: 0 }, traceS, traceHS };
}
