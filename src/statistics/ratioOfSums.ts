import { numberOf } from '../core/given.ts';
import { type BlockIntervalOptions, blockInterval } from './blockInterval.ts';
import type { Estimate } from './Estimate.ts';

/**
 * Σ_t a_t/Σ_t b_t over the rows of a run, with the interval of `blockInterval`.
 *
 * The mean of the ratios a_t/b_t is another number, which the rows with a small b_t decide and skew: ⟨tr(HS_b)⟩ over
 * ⟨tr(S_n)⟩ says whether the loss falls on the whole, and the mean of tr(HS_b)/tr(S_n) may exceed it by far.
 *
 * Cost: that of `blockInterval`.
 *
 * @param rows In the order of their steps, equally far apart.
 * @param numerator a of a row; NaN makes the value NaN, without an interval.
 * @param denominator b of a row; the same.
 * @param options `resamples` (1000), `seed` (0).
 * @throws BrinkError for an option out of its range, or where a or b is no number, as null: leave such rows out.
 * @example
 * import { ratioOfSums } from 'brink';
 *
 * const rows = [[2, 1], [3, 2], [2, 1], [3, 2], [3, 1], [3, 2], [2, 1], [4, 2]] as const;
 * console.log(ratioOfSums(rows, ([a]) => a, ([, b]) => b).value.toFixed(3)); // 1.833
 * @see blockInterval
 */
export function ratioOfSums<T>(
  rows: readonly T[],
  numerator: (row: T) => number,
  denominator: (row: T) => number,
  options?: BlockIntervalOptions,
): Estimate {
  const number = (name: string, of: (row: T) => number, k: number) =>
    numberOf('ratioOfSums', (k) => `the ${name} of row ${k}`, of(rows[k]!), k);
  const pairs = rows.map((_, k) => [number('numerator', numerator, k), number('denominator', denominator, k)] as const);
  return blockInterval(pairs, ratio, options);
}

function ratio(pairs: readonly (readonly [number, number])[]): number {
  let [a, b] = [0, 0];
  for (const [numerator, denominator] of pairs) {
    a += numerator;
    b += denominator;
  }
  return a / b;
}
