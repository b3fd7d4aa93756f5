import { BrinkError } from '../../core/errors.ts';
import type { Model } from '../Model.ts';
import { evenChunk } from './evenChunk.ts';

/**
 * Throws where a chunk of a coupled model would hold a single example: normalised over itself alone, its variance is 0
 * and it says nothing (in an image it would be normalised over its own pixels: another network).
 *
 * @param what The examples with their number: 'a training set of 129'.
 */
export function atLeastTwoPerChunk(who: string, { name }: Model, what: string, count: number, chunk: number): void {
  if (count > 1 && chunk > 1 && count % chunk !== 1) return;
  const advice =
    count === 1
      ? 'take two at least'
      : `choose a chunk without one over, such as ${evenChunk(count, Math.max(2, chunk))}`;
  throw new BrinkError(
    who,
    `${what} in chunks of ${chunk} leaves one example alone. The model ${name} normalises over the chunk, and over ` +
      `one example there is nothing to normalise; ${advice}.`,
  );
}
