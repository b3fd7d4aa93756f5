import { Content } from './Content.ts';
import { BrinkError } from './errors.ts';
import { Refills } from './Refills.ts';

/** Of vectors that steps were made of, by the step's index. */
const refills = new Refills<number>();

/**
 * Throws where a vector lies where one of an earlier step does, with other numbers in it: a source that fills one
 * buffer anew for each step changes the steps that were emitted, and what is known at their weights.
 *
 * @returns What stands in it.
 */
export function requireUntouched(who: string, name: string, index: number, vector: Float32Array): Content {
  const before = refills.before(vector, index);
  if (before instanceof Content) return before;
  throw new BrinkError(
    who,
    `${name} of step ${index} lies in the array of step ${before.mark}'s, with other numbers in it, so that step ` +
      `${before.mark} has changed too. Make a new array for each step: ${name}.slice().`,
  );
}
