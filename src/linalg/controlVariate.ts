import { mean } from './vector.ts';

/** From so many draws on, the slope is worth its own error. */
const DRAWS_FOR_SLOPE = 6;

/**
 * y_k − β_k (x_k − E x): draws with the mean of y and less variance, for x that varies with y and whose mean is known.
 *
 * β_k is the least-squares slope of y on x among the draws other than k, so that it does not depend on draw k and
 * there is no bias; for fewer than 6 draws the ratio of their means, which has less to learn. What is left varies by
 * 1 − r² of y, r their correlation. The slope takes a degree of freedom, so that the draws are spread by √((K − 1)/(K
 * − 2)) about their mean: the ordinary standard error of what comes out is then the right one.
 *
 * Source: Hammersley and Handscomb (1964), section 5.5; leaving one out as in Avramidis and Wilson (1993).
 *
 * @param y Draws whose mean is wanted, at least 2.
 * @param x As many draws, each of the same randomness as that of y.
 * @param expected E x.
 */
export function controlVariate(y: Float64Array, x: Float64Array, expected: number): Float64Array {
  const corrected = y.map((own, k) => {
    const others = (values: Float64Array) => values.filter((_, j) => j !== k);
    const [ys, xs] = [others(y), others(x)];
    const [yMean, xMean] = [mean(ys), mean(xs)];
    const slope =
      y.length < DRAWS_FOR_SLOPE
        ? yMean / xMean
        : xs.reduce((sum, value, j) => sum + (value - xMean) * (ys[j]! - yMean), 0) /
          xs.reduce((sum, value) => sum + (value - xMean) ** 2, 0);
    // x that does not vary has no slope, and nothing to correct.
    return Number.isFinite(slope) ? own - slope * (x[k]! - expected) : own;
  });
  if (y.length < DRAWS_FOR_SLOPE) return corrected;
  const center = mean(corrected);
  const spread = Math.sqrt((y.length - 1) / (y.length - 2));
  return corrected.map((value) => center + spread * (value - center));
}
