import type { Point } from '../core/Objective.ts';
import { drawBatch, generator } from '../linalg/random.ts';
import { dot } from '../linalg/vector.ts';
import type { SecondMoment } from './gradientNoise.ts';

/** Which batches: draw k of step t and size b is a function of (seed, t, b, k). */
export interface BatchDraw {
  readonly seed: number;
  readonly step: number;
  readonly batchSize: number;
  readonly replacement: boolean;
}

/** The batch of draw k. */
export function sampledBatch(n: number, { seed, step, batchSize, replacement }: BatchDraw, k: number): Int32Array {
  return drawBatch(generator(seed, step, batchSize, k), n, batchSize, replacement);
}

/**
 * tr(S_b) = E_ξ‖g_ξ‖² and tr(H S_b) = E_ξ[g_ξᵀ H g_ξ] over K sampled batches: the paper's estimator, against which the others
 * are checked, and the only one where examples are coupled by batch normalisation.
 *
 * Cost: b/n gradients and one product a draw, shared by probes that ask for the same draws.
 * Source: Lee and Jang (2023), Definition 1.
 */
export async function sampledSecondMoment(point: Point, draw: BatchDraw, draws: number): Promise<SecondMoment> {
  const { seed, step, batchSize, replacement } = draw;
  const traceS = new Float64Array(draws);
  const traceHS = new Float64Array(draws);
  for (let k = 0; k < draws; k++) {
    const drawn = await point.memo(['sampledSecondMoment', seed, step, batchSize, replacement, k], async () => {
      const { gradient } = await point.batchGradient(sampledBatch(point.objective.exampleCount, draw, k));
      const { product } = await point.hessianVector(gradient);
      return { S: dot(gradient, gradient), HS: dot(gradient, product) };
    });
    traceS[k] = drawn.S;
    traceHS[k] = drawn.HS;
  }
  return { exact: { traceS: 0, traceHS: 0 }, traceS, traceHS };
}
