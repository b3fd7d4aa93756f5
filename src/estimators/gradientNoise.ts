import type { Point } from '../core/Objective.ts';
import { controlVariate } from '../linalg/controlVariate.ts';
import type { Eigenpair, Eigenpairs } from '../linalg/eigenpairs.ts';
import { generator, signs } from '../linalg/random.ts';
import { addScaled, covariance, dot, mean, standardError } from '../linalg/vector.ts';
import { projectionsOf } from './require.ts';

/** A number with the standard error of its estimate: 0 where it is exact, NaN where the draws don't tell it. */
export interface Estimate {
  readonly value: number;
  readonly standardError: number;
}

/**
 * a = n^{−1/2} Σ_i (z_i − z̄) g_i for random signs z ∈ {±1}ⁿ: E[a aᵀ] = C_1, so E‖a‖² = tr(C_1) and E[aᵀHa] = tr(HC_1).
 *
 * The draw is a function of (seed, step, k). Cost: one gradient, shared by probes that ask for the same draw.
 */
export function signDraw(point: Point, seed: number, step: number, k: number): Promise<Float32Array> {
  return point.memo(['signDraw', seed, step, k], () => {
    const n = point.objective.exampleCount;
    return point.weightedGradient(signWeights(signs(generator(seed, step, k), n)));
  });
}

/**
 * How many of K draws of n signs tell how far what is quadratic in them scatters: K, or 1 where all of them are the
 * same up to the sign of all, whose standard error would be 0 as if nothing were drawn. Of one sign nothing scatters.
 */
export function tellingSigns(n: number, seed: number, step: number, K: number): number {
  const relative = (k: number) => {
    const z = signs(generator(seed, step, k), n);
    return z.map((sign) => sign * z[0]!);
  };
  if (n === 1) return K;
  const first = relative(0);
  for (let k = 1; k < K; k++) if (relative(k).some((sign, i) => sign !== first[i])) return K;
  return 1;
}

/** tr(C_1) = (1/n) Σ ‖g_i‖² − ‖∇L‖², from the norms of per-example gradients: exact, one gradient. */
async function exactNoiseTrace(point: Point): Promise<number> {
  const gradient = await point.gradient();
  // Where all examples have one gradient, rounding may leave less than nothing.
  return Math.max(0, mean(await point.exampleNormsSquared()) - dot(gradient, gradient));
}

/**
 * tr(C_1) as `exact` plus the mean of draws: all of it exact where the layers give it, else ‖a‖² of K sign draws, of
 * one where they are all alike.
 */
export async function noiseTrace(
  point: Point,
  seed: number,
  step: number,
  draws: number,
): Promise<{ exact: number; traces: Float64Array }> {
  const traces = new Float64Array(draws);
  if (point.objective.exampleNorms) return { exact: await exactNoiseTrace(point), traces };
  for (let k = 0; k < draws; k++) {
    const a = await signDraw(point, seed, step, k);
    traces[k] = dot(a, a);
  }
  return { exact: 0, traces: traces.slice(0, tellingSigns(point.objective.exampleCount, seed, step, draws)) };
}

/**
 * A part of a trace below this share of it is known to too few digits to control another: it is a difference of
 * float32 numbers.
 */
const KNOWN_PART = 1e-5;

/** The weights u_i = n^{−1/2}(z_i − z̄) that turn signs z into a = Σ u_i g_i. */
export function signWeights(z: Float64Array): Float64Array {
  const average = mean(z);
  return z.map((sign) => (sign - average) / Math.sqrt(z.length));
}

/** K draws of tr(C_1) and tr(H C_1), one where all are alike, with the part within known eigenvectors done exactly. */
export interface NoiseTraces {
  /**
   * What is exact: Σ_j Var_i(g_iᵀq_j), and the same weighted with H; where the layers give the norms of the g_i, all
   * of tr(C_1).
   */
  readonly within: { readonly trace: number; readonly traceH: number };
  /** ‖a_⊥‖² of each draw; 0 where all of the trace is exact. */
  readonly trace: Float64Array;
  /**
   * a_⊥ᵀHa_⊥ of each draw, with what the eigenvectors' residuals leave over, controlled by ‖a_⊥‖² where its mean is
   * exact.
   */
  readonly traceH: Float64Array;
}

/**
 * ‖a_⊥‖² and a_⊥ᵀHa_⊥ + 2 Σ_j (q_jᵀa)(a_⊥ᵀHq_j) for a_⊥ = (I − QQᵀ)a: what a draw adds beyond the pairs. One product.
 */
export async function outsidePairs(
  point: Point,
  a: Float32Array,
  pairs: readonly Eigenpair[],
): Promise<{ trace: number; traceH: number }> {
  const coefficients = pairs.map((pair) => dot(pair.vector, a));
  const rest = Float64Array.from(a);
  pairs.forEach((pair, j) => {
    addScaled(rest, pair.vector, -coefficients[j]!);
  });
  const outside = Float32Array.from(rest);
  const { product } = await point.hessianVector(outside);
  return {
    trace: dot(outside, outside),
    traceH: pairs.reduce(
      (sum, pair, j) => sum + 2 * coefficients[j]! * dot(outside, pair.product),
      dot(outside, product),
    ),
  };
}

/**
 * tr(C_1) and tr(H C_1) by random signs, deflated: with orthonormal Ritz vectors Q = (q_1 … q_k) and the projections
 * p_ij = g_iᵀq_j that came free with their products,
 *
 * tr(C_1) = Σ_j Var_i(p_ij) + E‖a_⊥‖², tr(H C_1) = Σ_j λ_j Var_i(p_ij) + E[a_⊥ᵀHa_⊥ + 2 Σ_j (q_jᵀa)(a_⊥ᵀHq_j)],
 *
 * with a_⊥ = (I − QQᵀ)a. The last term vanishes for exact eigenvectors; with it the estimate has no bias for any Ritz
 * vectors. Where the layers give ‖g_i‖², tr(C_1) is exact, and ‖a_⊥‖², whose mean is then known, is the control
 * variate of a_⊥ᵀHa_⊥, with which it varies: at the edge the standard error is a third to a half of what it is
 * without.
 *
 * Cost: one gradient and one product a draw; one gradient for the norms.
 * Source: Lee and Jang (2023), equation (1); Hutchinson (1989); deflation in the spirit of Hutch++ (Meyer et al.,
 * 2021).
 */
export async function noiseTraces(
  point: Point,
  { draws, seed, step, eigenpairs }: { draws: number; seed: number; step: number; eigenpairs: Eigenpairs | null },
): Promise<NoiseTraces> {
  const pairs = eigenpairs?.pairs ?? [];
  const variance = pairs.map(projectionsOf).map((p) => covariance(p, p));
  const trace = new Float64Array(draws);
  const traceH = new Float64Array(draws);
  for (let k = 0; k < draws; k++) {
    const draw = await point.memo(['noiseDraw', seed, step, k, eigenpairs], async () =>
      outsidePairs(point, await signDraw(point, seed, step, k), pairs),
    );
    trace[k] = draw.trace;
    traceH[k] = draw.traceH;
  }
  const within = {
    trace: variance.reduce((sum, v) => sum + v, 0),
    traceH: pairs.reduce((sum, pair, j) => sum + pair.value * variance[j]!, 0),
  };
  // Where the eigenvectors are all there are, nothing is left to draws.
  const { exampleCount, paramCount } = point.objective;
  const telling = pairs.length === paramCount ? draws : tellingSigns(exampleCount, seed, step, draws);
  if (!point.objective.exampleNorms)
    return { within, trace: trace.slice(0, telling), traceH: traceH.slice(0, telling) };
  const whole = await exactNoiseTrace(point);
  const outside = whole - within.trace;
  return {
    within: { trace: whole, traceH: within.traceH },
    trace: new Float64Array(draws),
    traceH: (outside > KNOWN_PART * whole ? controlVariate(traceH, trace, outside) : traceH).slice(0, telling),
  };
}

/** exact + the mean of the draws; the error of one draw is NaN. */
export function estimateSum(exact: number, draws: Float64Array): Estimate {
  return { value: exact + mean(draws), standardError: standardError(draws) };
}

/**
 * (exactAbove + E above)/(exactBelow + E below) with the standard error to first order (the delta method): that of
 * the mean of (above_k − ratio·below_k)/below. Where either has one draw the error is NaN.
 */
export function estimateRatio(
  exactAbove: number,
  above: Float64Array,
  exactBelow: number,
  below: Float64Array,
): Estimate {
  const denominator = exactBelow + mean(below);
  const value = (exactAbove + mean(above)) / denominator;
  const pairs = above.subarray(0, below.length);
  return { value, standardError: standardError(pairs.map((x, k) => (x - value * below[k]!) / denominator)) };
}
