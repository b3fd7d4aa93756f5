import { BrinkError } from '../core/errors.ts';
import { requireList } from '../core/given.ts';
import type { Estimate } from './Estimate.ts';
import { studentQuantile } from './studentQuantile.ts';

const WHO = 'jackknife';

/**
 * A statistic of few things that are independent of each other (batch sizes, data sets, pairs), with its 95 % interval.
 *
 *     low, high = value ∓ t·√((k − 1)/k Σ_i (x_i − x̄)²), x_i the value without the i-th of k,
 *
 * t Student's for k − 1 degrees of freedom. It serves smooth statistics: means, fitted slopes, root mean squares; of a
 * median or a largest value it is wrong.
 *
 * It does not prove anything of another seed (`betweenSeeds` does), nor of steps of one run, which remember each other
 * (`blockInterval` knows).
 *
 * Cost: k + 1 evaluations of the statistic.
 *
 * Source: Tukey (1958); Efron and Stein (1981).
 *
 * @param items With fewer than 3 there is a value and no interval: it goes from −∞ to ∞, as where the value without one
 *   of them is not finite.
 * @param statistic A function of such a list.
 * @throws BrinkError where `items` is no list, or empty.
 * @example
 * import { jackknife } from 'brink';
 *
 * const mean = (x: readonly number[]) => x.reduce((sum, y) => sum + y, 0) / x.length;
 * const { value, low, high } = jackknife([9.8, 10.3, 9.7, 10.4, 9.8], mean);
 * console.log(value.toFixed(2), low.toFixed(2), high.toFixed(2)); // 10.00 9.60 10.40
 * @see blockInterval, betweenSeeds
 */
export function jackknife<T>(items: readonly T[], statistic: (items: readonly T[]) => number): Estimate {
  requireList(WHO, 'items', items);
  const k = items.length;
  if (k === 0) throw new BrinkError(WHO, 'items is empty. A statistic needs something that it is of.');
  // Of a list of its own, which it may sort in place.
  const value = statistic(items.slice());
  const rest = { method: `jackknife over ${k}`, size: k, effectiveSize: k };
  const open = { value, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY, ...rest };
  if (k < 3) return { ...open, method: `none: ${k} of them tell nothing of their spread` };
  const without = Array.from(items, (_, i) => statistic(Array.from(items).toSpliced(i, 1)));
  if (![value, ...without].every(Number.isFinite)) return { ...open, method: 'none: not finite without one of them' };
  const mean = without.reduce((sum, x) => sum + x, 0) / k;
  const variance = ((k - 1) / k) * without.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  const half = studentQuantile(0.95, k - 1) * Math.sqrt(variance);
  return { value, low: value - half, high: value + half, ...rest };
}
