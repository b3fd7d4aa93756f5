import { BrinkError } from '../core/errors.ts';
import { threadCount } from '../engine/threadCount.ts';
import type { SweepPlan } from './planSweep.ts';

/**
 * How many threads the cells of a plan compute with, whichever process and machine runs them.
 *
 * @throws BrinkError where BRINK_THREADS says another number: the cells of one folder would differ by rounding.
 */
export function threadsOf({ threads }: SweepPlan): number {
  if (!process.env.BRINK_THREADS || threadCount() === threads) return threads;
  throw new BrinkError(
    'sweep',
    `BRINK_THREADS is ${process.env.BRINK_THREADS}, and the sweep was planned with ${threads}: its cells would not be one experiment. Unset it, or plan in another folder with "threads": ${process.env.BRINK_THREADS}.`,
  );
}
