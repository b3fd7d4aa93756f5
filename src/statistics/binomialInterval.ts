import { BrinkError, requireInteger } from '../core/errors.ts';
import { betaQuantile } from './betaDistribution.ts';
import type { Estimate } from './Estimate.ts';

/**
 * The share of independent trials that came out true, with the exact interval of Clopper and Pearson:
 *
 *     low = B⁻¹_.025(k, n − k + 1), high = B⁻¹_.975(k + 1, n − k)
 *
 * It has an upper end above 0 where none came out true. It does not hold for rows along a run, which are alike from
 * step to step: `blockInterval(rows, 'share')` is for those.
 *
 * Cost: none.
 *
 * Source: Clopper and Pearson (1934).
 *
 * @param count k, how many came out true.
 * @param trials n.
 * @throws BrinkError where a count is no integer, there are no trials, or k is above n.
 * @example
 * import { binomialInterval } from 'brink';
 *
 * const { value, low, high } = binomialInterval(0, 3200);
 * console.log(value, low, high.toFixed(5)); // 0 0 0.00115
 * @see blockInterval
 */
export function binomialInterval(count: number, trials: number): Estimate {
  requireInteger('binomialInterval', 'count', count, 0);
  requireInteger('binomialInterval', 'trials', trials, 1);
  if (count > trials)
    throw new BrinkError('binomialInterval', `count is ${count}, of ${trials} trials. It is a part of them.`);
  return {
    value: count / trials,
    low: count === 0 ? 0 : betaQuantile(0.025, count, trials - count + 1),
    high: count === trials ? 1 : betaQuantile(0.975, count + 1, trials - count),
    method: `Clopper and Pearson's, ${count} of ${trials} trials`,
    size: trials,
    effectiveSize: trials,
  };
}
