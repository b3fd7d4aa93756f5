import { BrinkError, given, requireInteger } from '../core/errors.ts';
import { drawBatch, generator } from '../linalg/random.ts';

/** 'first': in the order of the files. 'balanced': of each class equally many, or one more. */
export type Subset = 'first' | 'balanced';

/** Sets the orders of examples apart from any other draws of the seed. */
const SUBSETS = 0x737562;

/**
 * Which `count` of the examples make a subset, in their own order; a function of its arguments alone.
 *
 * 'balanced' ranks each example by how many of its class come before it, and takes the lowest ranks, earlier ones
 * first where ranks are equal: class counts differ by at most one while no class has run out, and a larger subset
 * contains the smaller.
 *
 * With a seed the examples are taken in a random order, a function of it and of how many there are, instead of that of
 * the files; what is chosen keeps the order of the files.
 *
 * @param who Whose fault an error is.
 * @param labels The class of every example.
 * @param count How many; at most as many as there are.
 * @param subset 'first' or 'balanced'.
 * @param seed Of the order; null: that of the files.
 * @throws BrinkError where `count` is no integer of at least 0 or more than there are, or `subset` is neither name.
 */
export function chooseExamples(
  who: string,
  labels: ArrayLike<number>,
  count: number,
  subset: Subset,
  seed: number | null = null,
): Int32Array {
  if (seed !== null) requireInteger(who, 'subsetSeed', seed, 0);
  requireInteger(who, 'the number of examples', count, 0);
  if (count > labels.length) {
    throw new BrinkError(
      who,
      `${count} examples are asked for, ${labels.length} are there. Ask for at most that many.`,
    );
  }
  const { length: n } = labels;
  const all =
    seed === null ? Int32Array.from({ length: n }, (_, i) => i) : drawBatch(generator(seed, SUBSETS), n, n, false);
  if (subset === 'first') return all.slice(0, count).sort();
  if (subset !== 'balanced') {
    throw new BrinkError(who, `${given('subset', subset)} It must be 'first' or 'balanced'.`);
  }
  const seen = new Map<number, number>();
  const rank = Int32Array.from(all, (i) => {
    const before = seen.get(labels[i]!) ?? 0;
    seen.set(labels[i]!, before + 1);
    return before;
  });
  return Int32Array.from(all.keys())
    .sort((j, k) => rank[j]! - rank[k]! || j - k)
    .subarray(0, count)
    .map((k) => all[k]!)
    .sort();
}
