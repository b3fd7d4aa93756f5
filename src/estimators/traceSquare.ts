import type { Point } from '../core/Objective.ts';
import { covariance, dot } from '../linalg/vector.ts';
import { type Estimate, signDraw, tellingSigns } from './gradientNoise.ts';

/**
 * tr(HC_1HC_1) = E[(aᵀHa')²] over independent random-sign vectors a, a' of covariance C_1: the mean over all pairs of
 * K draws, with the jackknife's standard error. Its distribution is skewed: with 40 draws an interval of two standard
 * errors was seen to cover the truth in 88 % of cases, with 120 in as many as it should. NaN where all draws are the
 * same.
 */
export async function traceSquare(point: Point, seed: number, step: number, draws: number): Promise<Estimate> {
  const vectors: Float32Array[] = [];
  const products: Float32Array[] = [];
  for (let k = 0; k < draws; k++) {
    const a = await signDraw(point, seed, step, k);
    vectors.push(a);
    products.push((await point.hessianVector(a)).product);
  }
  const squares = vectors.map((a, k) => products.map((Hb, l) => (k === l ? 0 : dot(a, Hb) ** 2)));
  const rowSums = Float64Array.from(squares, (row) => row.reduce((s, x) => s + x, 0));
  const total = rowSums.reduce((s, x) => s + x, 0);
  const without = rowSums.map((row) => (total - 2 * row) / ((draws - 1) * (draws - 2)));
  const isKnown = tellingSigns(point.objective.exampleCount, seed, step, draws) > 1;
  return {
    value: total / (draws * (draws - 1)),
    standardError: isKnown ? Math.sqrt((draws - 1) * covariance(without, without)) : Number.NaN,
  };
}
