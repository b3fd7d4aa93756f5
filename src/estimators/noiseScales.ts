import type { Objective, Point } from '../core/Objective.ts';
import type { Eigenpairs } from '../linalg/eigenpairs.ts';
import { covariance, dot, norm } from '../linalg/vector.ts';
import { samplingCoefficient } from '../theory/samplingCoefficient.ts';
import { type Estimate, estimateRatio } from './gradientNoise.ts';
import type { MomentTrace, SecondMoment } from './secondMoments.ts';

/**
 * The standard error of ∇LᵀH∇L as a share of ‖∇L‖‖H∇L‖. Nothing of it is sampled: it is float32's rounding, and two
 * engines and two chunk sizes differ by 2.2e-7 at most along the training of a network of four layers.
 */
const PRODUCT_ERROR = 2 ** -22;

/**
 * γ_{n,b}/b, the share of C_1 that a batch has: S_b = S_n + (γ_{n,b}/b) C_1. Null where batches tell nothing of C_1:
 * for the full batch, where there is none of it, and with batch normalisation, where the identity does not hold.
 */
export function noiseShare(objective: Objective, batchSize: number, replacement: boolean): number | null {
  const gamma = samplingCoefficient(objective.exampleCount, batchSize, replacement);
  return objective.coupled || gamma === 0 ? null : gamma / batchSize;
}

/**
 * The gradient noise scale B_simple = tr(C_1)/‖∇L‖² = 1/ρ_1 − 1, from tr(S_b) by identity (1); null where S_b tells
 * nothing of C_1.
 *
 * Source: McCandlish et al. (2018), equation (2.9).
 */
export function noiseScale(traceSn: number, { exact, traces }: MomentTrace, share: number | null): Estimate | null {
  if (share === null) return null;
  const noise = traces.map((trace) => trace / share);
  return estimateRatio((exact - traceSn) / share, noise, traceSn, new Float64Array(noise.length));
}

/**
 * The noise scale with the Hessian, B_H = tr(HC_1)/∇LᵀH∇L, from tr(HS_b) by identity (1); null where S_b tells nothing
 * of C_1, and where |∇LᵀH∇L| is not more than two of its own standard errors.
 *
 * Source: McCandlish et al. (2018), equation (2.8), who write B_noise.
 */
export async function hessianNoiseScale(
  point: Point,
  { exact, traceHS }: SecondMoment,
  share: number | null,
): Promise<Estimate | null> {
  const gradient = await point.gradient();
  const { product } = await point.hessianVector(gradient);
  const traceHSn = dot(gradient, product);
  const error = PRODUCT_ERROR * norm(gradient) * norm(product);
  if (share === null || Math.abs(traceHSn) <= 2 * error) return null;
  const noise = traceHS.map((trace) => trace / share);
  return estimateRatio((exact.traceHS - traceHSn) / share, noise, traceHSn, new Float64Array(noise.length));
}

/**
 * σ²_u = (γ_{n,b}/b) Var_i(g_iᵀq_1), the variance of the batch gradient along the sharpest direction: free, for the
 * g_iᵀq_1 come with Hq_1. Null without eigenpairs, and where examples are coupled.
 */
export function noiseAlongQ1(
  { exampleCount: n }: Objective,
  eigenpairs: Eigenpairs | null,
  batchSize: number,
  replacement: boolean,
): number | null {
  const projections = eigenpairs?.pairs[0]?.projections;
  if (!projections) return null;
  return (samplingCoefficient(n, batchSize, replacement) / batchSize) * covariance(projections, projections);
}
