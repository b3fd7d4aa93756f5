import { BrinkError, requireInteger } from '../core/errors.ts';
import type { Objective } from '../core/Objective.ts';

/** Throws unless every b is an integer from 1 to n (from 2 with batch normalisation), named once, and there is one. */
export function requireBatchSizes(who: string, batchSizes: readonly number[], objective: Objective): void {
  const n = objective.exampleCount;
  if (batchSizes.length === 0) throw new BrinkError(who, 'batchSizes is empty. Name at least one batch size.');
  for (const [i, b] of batchSizes.entries()) {
    requireInteger(who, `batchSizes[${i}]`, b, 1);
    if (b === 1 && objective.coupled) {
      throw new BrinkError(
        who,
        `batchSizes[${i}] is 1. The model normalises over the batch, and over one example there is nothing to normalise; take 2 at least.`,
      );
    }
    if (b > n) throw new BrinkError(who, `batchSizes[${i}] is ${b}, but there are only ${n} examples.`);
    if (batchSizes.indexOf(b) !== i)
      throw new BrinkError(who, `batchSizes names ${b} twice. A row is named by its step and batch size.`);
  }
}
