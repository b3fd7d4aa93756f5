import { BrinkError, requireInteger } from '../core/errors.ts';
import type { Estimate } from './gradientNoise.ts';

/** How many draws an estimate takes. */
export interface Draws {
  /** K to begin with. */
  readonly draws: number;
  /** Standard error over value at which doubling K stops; ∞: K stays. */
  readonly targetError: number;
  /** Where doubling stops at the latest. */
  readonly maxDraws: number;
}

/** Most draws where the caller names no limit. */
const MOST = 256;

/** Checks a probe's options. @throws BrinkError where one is out of range. */
export function requireDraws(
  who: string,
  draws: number,
  targetError = Number.POSITIVE_INFINITY,
  maxDraws = Math.max(MOST, draws),
): Draws {
  requireInteger(who, 'draws', draws, 2);
  if (!(targetError > 0)) throw new BrinkError(who, `targetError is ${targetError}. It must be a number above 0.`);
  requireInteger(who, 'maxDraws', maxDraws, draws);
  return { draws, targetError, maxDraws };
}

/**
 * Estimates from K draws, and from twice as many until the largest standard error over value is at most the target.
 *
 * @param estimate From the first K draws: those of fewer are among them, and not made again.
 * @param judged What must be precise of it.
 */
export async function drawUntil<T>(
  { draws, targetError, maxDraws }: Draws,
  estimate: (K: number) => Promise<T>,
  judged: (estimated: T) => readonly Estimate[],
): Promise<T> {
  for (let K = draws; ; K = Math.min(2 * K, maxDraws)) {
    const estimated = await estimate(K);
    if (targetError === Number.POSITIVE_INFINITY || K === maxDraws) return estimated;
    const wanted = ({ value, standardError }: Estimate) => standardError <= targetError * Math.abs(value);
    if (judged(estimated).every(wanted)) return estimated;
  }
}
