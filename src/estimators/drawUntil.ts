import { requireInteger } from '../core/errors.ts';
import type { Estimate } from './gradientNoise.ts';

/** How many draws an estimate takes. */
export interface Draws {
  /** K to begin with. */
  readonly draws: number;
  /** Standard error over value at which doubling K stops; null: K stays. */
  readonly targetError: number | null;
  /** Where doubling stops at the latest. */
  readonly maxDraws: number;
}

/** Checks what options say of each other. @throws BrinkError where doubling would stop before it begins. */
export function checkMaxDraws(
  who: string,
  fallback: number,
  { draws = fallback, maxDraws }: { readonly draws?: number; readonly maxDraws?: number },
): void {
  if (maxDraws !== undefined) requireInteger(who, 'maxDraws', maxDraws, draws);
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
    if (targetError === null || K === maxDraws) return estimated;
    const wanted = ({ value, standardError }: Estimate) => standardError <= targetError * Math.abs(value);
    if (judged(estimated).every(wanted)) return estimated;
  }
}
