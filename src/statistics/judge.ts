import { BrinkError } from '../core/errors.ts';
import { numberOf } from '../core/given.ts';
import type { Estimate } from './Estimate.ts';

/** Whether a claim stands. */
export type Verdict = 'holds' | 'does not hold' | 'not decidable';

/** Where a claim holds, ends included; −∞ and ∞ where it has no end. */
export interface Region {
  readonly low: number;
  readonly high: number;
}

/**
 * Whether a claim that a number lies in a region holds: the interval within it: `holds`; without a point in it: `does
 * not hold`; else, and where nothing was measured, `not decidable`.
 *
 * The region is to be fixed before the number is known. A claim that holds in 95 % of cases holds of what was
 * measured: the interval of one run says nothing of another.
 *
 * @param estimate Null: nothing was measured.
 * @param region `low`, `high`.
 * @throws BrinkError where the region is no range, or an end is no number: JSON makes null of ∞, which would count as
 *   0.
 * @example
 * import { betweenSeeds, judge } from 'brink';
 *
 * console.log(judge(betweenSeeds([1.02, 0.98, 1.01]), { low: 0.9, high: 1.1 })); // holds
 * console.log(judge(betweenSeeds([1.02]), { low: 0.9, high: 1.1 })); // not decidable
 * @see blockInterval, betweenSeeds
 */
export function judge(estimate: Pick<Estimate, 'low' | 'high'> | null, region: Region): Verdict {
  requireEnds('the region', region);
  if (!(region.low <= region.high)) {
    throw new BrinkError(
      'judge',
      `the region goes from ${region.low} to ${region.high}. Its low end must not lie above its high one.`,
    );
  }
  if (estimate === null) return 'not decidable';
  requireEnds('the estimate', estimate);
  if (estimate.low >= region.low && estimate.high <= region.high) return 'holds';
  if (estimate.high < region.low || estimate.low > region.high) return 'does not hold';
  return 'not decidable';
}

function requireEnds(what: string, { low, high }: Region): void {
  for (const [end, value] of Object.entries({ low, high })) numberOf('judge', () => `${end} of ${what}`, value, 0);
}
