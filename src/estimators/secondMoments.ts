import type { Point } from '../core/Objective.ts';
import type { Eigenpairs } from '../linalg/eigenpairs.ts';
import { dot } from '../linalg/vector.ts';
import { isFullBatch } from '../theory/isFullBatch.ts';
import { samplingCoefficient } from '../theory/samplingCoefficient.ts';
import { type NoiseTraces, noiseTrace, noiseTraces } from './gradientNoise.ts';
import { type BatchDraw, sampledGradient, tellingDraws } from './sampledBatches.ts';

/** For which batches, and from which draws. */
export interface MomentSettings {
  readonly batchSizes: readonly number[];
  readonly replacement: boolean;
  readonly estimator: 'examples' | 'batches';
  /** K. */
  readonly draws: number;
  readonly seed: number;
  /** t: draws differ from step to step. */
  readonly step: number;
}

/**
 * The random part of tr(S_b) and tr(H S_b): K independent draws of each, sharing their randomness, and what was added
 * exactly. Where all draws are alike there is one, whose standard error is not known.
 *
 * tr(S_b) = exact.traceS + mean(traceS), tr(H S_b) = exact.traceHS + mean(traceHS).
 */
export interface SecondMoment {
  readonly exact: { readonly traceS: number; readonly traceHS: number };
  readonly traceS: Float64Array;
  readonly traceHS: Float64Array;
}

/**
 * tr(S_b) and tr(HS_b) for every b, S_b = E_ξ[g_ξg_ξᵀ] [m × m].
 *
 * 'examples': by identity (1), S_b = S_n + (γ_{n,b}/b) C_1, from the traces of C_1, which are the same for all b (see
 * `noiseTraces`). 'batches': over K sampled batches for each b, the paper's estimator, against which the other is
 * checked, and the only one where batch normalisation couples examples. For the full batch exact: ‖∇L‖² and ∇LᵀH∇L.
 *
 * Cost: H∇L; 'examples' K gradients and products for all b together; 'batches' K products and K·b/n gradients for
 * each b. What is drawn is shared by probes that ask for the same draws, and held as long as the point is the newest.
 * Source: Lee and Jang (2023), Definition 1 and equation (1).
 *
 * @param eigenpairs What 'examples' does exactly; null: nothing.
 */
export async function secondMoments(
  point: Point,
  settings: MomentSettings,
  eigenpairs: Eigenpairs | null,
): Promise<SecondMoment[]> {
  const { batchSizes, replacement, estimator, draws, seed, step } = settings;
  const n = point.objective.exampleCount;
  const isFull = (b: number) => isFullBatch(n, b, replacement);
  const gradient = await point.gradient();
  const { product } = await point.hessianVector(gradient);
  const traceS = dot(gradient, gradient);
  const traceHS = dot(gradient, product);
  const none = new Float64Array(draws);
  const noise =
    estimator === 'examples' && !batchSizes.every(isFull)
      ? await noiseTraces(point, { draws, seed, step, eigenpairs })
      : null;
  const moments: SecondMoment[] = [];
  for (const batchSize of batchSizes) {
    if (isFull(batchSize)) {
      moments.push({ exact: { traceS, traceHS }, traceS: none, traceHS: none });
    } else if (noise) {
      const share = samplingCoefficient(n, batchSize, replacement) / batchSize;
      moments.push(ofExamples({ traceS, traceHS }, noise, share));
    } else {
      moments.push(await ofBatches(point, { seed, step, batchSize, replacement }, draws));
    }
  }
  return moments;
}

/** Identity (1), S_b = S_n + share·C_1 with the share γ_{n,b}/b, in traces. */
export function ofExamples(ofSn: SecondMoment['exact'], ofC1: NoiseTraces, share: number): SecondMoment {
  const { within, trace, traceH } = ofC1;
  return {
    exact: { traceS: ofSn.traceS + share * within.trace, traceHS: ofSn.traceHS + share * within.traceH },
    traceS: trace.map((t) => share * t),
    traceHS: traceH.map((t) => share * t),
  };
}

async function ofBatches(point: Point, draw: BatchDraw, draws: number): Promise<SecondMoment> {
  const traceS = new Float64Array(draws);
  const traceHS = new Float64Array(draws);
  for (let k = 0; k < draws; k++) {
    const gradient = await sampledGradient(point, draw, k);
    const { product } = await point.hessianVector(gradient);
    traceS[k] = dot(gradient, gradient);
    traceHS[k] = dot(gradient, product);
  }
  const telling = tellingDraws(point.objective.exampleCount, draw, draws);
  return { exact: { traceS: 0, traceHS: 0 }, traceS: traceS.slice(0, telling), traceHS: traceHS.slice(0, telling) };
}

/** tr(S_b) as `exact` plus the mean of K draws, of one where they are all alike. */
export interface MomentTrace {
  readonly exact: number;
  readonly traces: Float64Array;
}

/**
 * tr(S_b) alone for every b: `secondMoments` without the Hessian.
 *
 * Cost: ∇L; 'examples' one gradient where the layers give the norms of the g_i, else K; 'batches' K·b/n gradients for
 * each b.
 */
export async function momentTraces(point: Point, settings: MomentSettings): Promise<MomentTrace[]> {
  const { batchSizes, replacement, estimator, draws, seed, step } = settings;
  const n = point.objective.exampleCount;
  const gradient = await point.gradient();
  const normSquared = dot(gradient, gradient);
  const moments: MomentTrace[] = [];
  for (const batchSize of batchSizes) {
    if (isFullBatch(n, batchSize, replacement)) {
      moments.push({ exact: normSquared, traces: new Float64Array(draws) });
    } else if (estimator === 'examples') {
      const share = samplingCoefficient(n, batchSize, replacement) / batchSize;
      const { exact, traces } = await noiseTrace(point, seed, step, draws);
      moments.push({ exact: normSquared + share * exact, traces: traces.map((trace) => share * trace) });
    } else {
      const draw = { seed, step, batchSize, replacement };
      const traces = new Float64Array(draws);
      for (let k = 0; k < draws; k++) {
        const sampled = await sampledGradient(point, draw, k);
        traces[k] = dot(sampled, sampled);
      }
      moments.push({ exact: 0, traces: traces.slice(0, tellingDraws(n, draw, draws)) });
    }
  }
  return moments;
}
