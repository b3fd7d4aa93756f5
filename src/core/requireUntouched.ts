import { BrinkError } from './errors.ts';

/** What stood in an array when a step was made of it. */
interface Content {
  readonly index: number;
  readonly hash: number;
}

const PRIME = 0x85ebca6b;

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

function hashOf({ buffer, byteOffset, byteLength }: Float32Array): number {
  const words = new Uint32Array(buffer, byteOffset, byteLength >> 2);
  // Four lanes, so that no product waits for the one before it.
  let [a, b, c, d] = [1, 2, 3, words.length];
  const whole = words.length - (words.length % 4);
  for (let k = 0; k < whole; k += 4) {
    a = (Math.imul(a, PRIME) + words[k]!) | 0;
    b = (Math.imul(b, PRIME) + words[k + 1]!) | 0;
    c = (Math.imul(c, PRIME) + words[k + 2]!) | 0;
    d = (Math.imul(d, PRIME) + words[k + 3]!) | 0;
  }
  for (let k = whole; k < words.length; k++) a = (Math.imul(a, PRIME) + words[k]!) | 0;
  return [a, b, c, d].reduce((hash, lane) => (Math.imul(hash, PRIME) + lane) | 0);
}
