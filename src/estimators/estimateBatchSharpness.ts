import type { Point } from '../core/Objective.ts';
import { dot, mean, standardError } from '../linalg/vector.ts';
import { isFullBatch } from '../theory/isFullBatch.ts';
import type { Estimate } from './gradientNoise.ts';
import { type BatchDraw, sampledBatch, sampledGradient, tellingDraws } from './sampledBatches.ts';

/**
 * E_ξ[g_ξᵀ H_ξ g_ξ / ‖g_ξ‖²] over K sampled batches, H_ξ [m × m] the Hessian of the batch's own loss; for the full
 * batch the one value there is, exactly. The standard error is NaN where all batches are the same.
 *
 * Cost: b/n gradients and b/n products a draw, shared by probes that ask for the same draws; for the full batch H∇L.
 */
export function estimateBatchSharpness(point: Point, draw: BatchDraw, draws: number): Promise<Estimate> {
  const { seed, step, batchSize, replacement } = draw;
  return point.memo(['batchSharpness', seed, step, batchSize, replacement, draws], async () => {
    const n = point.objective.exampleCount;
    if (isFullBatch(n, batchSize, replacement)) {
      const gradient = await point.gradient();
      const { product } = await point.hessianVector(gradient);
      return { value: dot(gradient, product) / dot(gradient, gradient), standardError: 0 };
    }
    const values = new Float64Array(draws);
    for (const k of values.keys()) {
      const gradient = await sampledGradient(point, draw, k);
      const product = await point.batchHessianVector(sampledBatch(n, draw, k), gradient);
      values[k] = dot(gradient, product) / dot(gradient, gradient);
    }
    return { value: mean(values), standardError: standardError(values.subarray(0, tellingDraws(n, draw, draws))) };
  });
}
