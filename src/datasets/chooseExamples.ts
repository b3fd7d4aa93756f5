import { BrinkError, given, requireInteger } from '../core/errors.ts';

/** 'first': in the order of the files. 'balanced': of each class equally many, or one more. */
export type Subset = 'first' | 'balanced';

/**
 * Which `count` of the examples make a subset, in their own order; a function of its arguments alone.
 *
 * 'balanced' ranks each example by how many of its class come before it, and takes the lowest ranks, earlier ones
 * first where ranks are equal: class counts differ by at most one while no class has run out, and a larger subset
 * contains the smaller.
 *
 * @param who Whose fault an error is.
 * @param labels The class of every example.
 * @param count How many; at most as many as there are.
 * @param subset 'first' or 'balanced'.
 * @throws BrinkError where `count` is no integer of at least 0 or more than there are, or `subset` is neither name.
 */
export function chooseExamples(who: string, labels: ArrayLike<number>, count: number, subset: Subset): Int32Array {
  requireInteger(who, 'the number of examples', count, 0);
  if (count > labels.length) {
    throw new BrinkError(
      who,
      `${count} examples are asked for, ${labels.length} are there. Ask for at most that many.`,
    );
  }
  const all = Int32Array.from({ length: labels.length }, (_, i) => i);
  if (subset === 'first') return all.subarray(0, count);
  if (subset !== 'balanced') {
    throw new BrinkError(who, `${given('subset', subset)} It must be 'first' or 'balanced'.`);
  }
  const seen = new Map<number, number>();
  const rank = Int32Array.from(all, (i) => {
    const before = seen.get(labels[i]!) ?? 0;
    seen.set(labels[i]!, before + 1);
    return before;
  });
  return all
    .toSorted((i, j) => rank[i]! - rank[j]! || i - j)
    .subarray(0, count)
    .sort();
}
