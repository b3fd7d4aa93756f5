import { betaQuantile } from './betaDistribution.ts';
import { LEAST_ROWS, memoryOf } from './blockLength.ts';
import type { Estimate } from './Estimate.ts';
import { studentQuantile } from './studentQuantile.ts';

/**
 * The share of numbers above 0, with the interval of Clopper and Pearson for as many independent ones as they are
 * worth:
 *
 *     low = B⁻¹_.025(p n', n' − p n' + 1), high = B⁻¹_.975(p n' + 1, n' − p n'), n' = n_e·(t_{n−1}/t_ν)²
 *
 * with n_e the effective size of the answers or of the numbers, the smaller one (of the numbers, where all answers are
 * the same and numbers are there), and Student's t for ν = number of
 * blocks − 1.
 *
 * Source: Clopper and Pearson (1934); Korn and Graubard (1998), Confidence intervals for proportions with small
 * expected number of positive counts estimated from survey data.
 */
export function intervalOfShare(numbers: readonly number[], areAnswers: boolean): Estimate {
  const size = numbers.length;
  const answers = numbers.map((number) => (number > 0 ? 1 : 0));
  const value = answers.reduce((sum: number, answer) => sum + answer, 0) / size;
  if (size < LEAST_ROWS) {
    const method = `none: fewer than ${LEAST_ROWS} rows`;
    return { value, low: 0, high: 1, method, size, effectiveSize: Math.min(size, 1) };
  }
  const isUnanimous = value === 0 || value === 1;
  const series = areAnswers ? [answers] : isUnanimous ? [numbers] : [answers, numbers];
  const memories = series.map(memoryOf);
  const { effectiveSize, blocks } = memories.reduce((a, b) => (a.effectiveSize <= b.effectiveSize ? a : b));
  const n = effectiveSize * (studentQuantile(0.95, size - 1) / studentQuantile(0.95, blocks - 1)) ** 2;
  return {
    value,
    low: value === 0 ? 0 : betaQuantile(0.025, value * n, n - value * n + 1),
    high: value === 1 ? 1 : betaQuantile(0.975, value * n + 1, n - value * n),
    method: `Clopper and Pearson's for the effective size, blocks of ${Math.round(size / blocks)}`,
    size,
    effectiveSize,
  };
}
