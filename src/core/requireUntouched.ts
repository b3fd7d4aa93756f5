import { BrinkError } from './errors.ts';
import { hashOf } from './hashOf.ts';

/** What stood in an array when a step was made of it. */
interface Content {
  readonly index: number;
  readonly hash: number;
}

const contents = new WeakMap<object, Content>();

/**
 * Throws where a vector lies in the array of an earlier step's, with other numbers in it: a source that fills one
 * buffer anew for each step changes the steps that were emitted, and what is known at their weights.
 *
 * Noticed by a hash of 32 bits, of the array or of the memory that it is a view of all of.
 */
export function requireUntouched(who: string, name: string, index: number, vector: Float32Array): void {
  const hash = hashOf(vector);
  const isAll = vector.byteOffset === 0 && vector.byteLength === vector.buffer.byteLength;
  const place = isAll ? vector.buffer : vector;
  const before = contents.get(place);
  if (before && before.hash !== hash) {
    throw new BrinkError(
      who,
      `${name} of step ${index} lies in the array of step ${before.index}'s, with other numbers in it, so that step ` +
        `${before.index} has changed too. Make a new array for each step: ${name}.slice().`,
    );
  }
  if (!before) contents.set(place, { index, hash });
}
