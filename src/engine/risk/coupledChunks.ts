import { BrinkError } from '../../core/errors.ts';
import type { Model } from '../Model.ts';

/**
 * The chunk of a coupled model whose chunk was not given: all n examples where they fit, as then nothing is arbitrary.
 *
 * @param fitting How many examples fit on the device.
 * @throws BrinkError where they don't all fit: L depends on the partition, so it is the user's to name, not the memory's.
 */
export function defaultCoupledChunk(who: string, { name }: Model, n: number, fitting: number): number {
  if (n <= fitting) return n;
  throw new BrinkError(
    who,
    `the model ${name} normalises over the chunk, and no chunk is given. L belongs to the chunks into which the ${n} examples are cut, and about ${fitting} fit on the device at once; name one, such as chunk: ${evenChunk(n, fitting)}.`,
  );
}

/**
 * Throws where a chunk of a coupled model would hold a single example: normalised over itself alone, its variance is 0 and it says
 * nothing (in an image it would be normalised over its own pixels: another network).
 *
 * @param what The examples with their number: 'a training set of 129'.
 */
export function requireCompany(who: string, { name }: Model, what: string, count: number, chunk: number): void {
  if (count > 1 && chunk > 1 && count % chunk !== 1) return;
  const advice =
    count === 1
      ? 'take two at least'
      : `choose a chunk without one over, such as ${evenChunk(count, Math.max(2, chunk))}`;
  throw new BrinkError(
    who,
    `${what} in chunks of ${chunk} leaves one example alone. The model ${name} normalises over the chunk, and over one example there is nothing to normalise; ${advice}.`,
  );
}

/** A chunk from half of `most` to `most` whose last chunk is as full as can be, and holds no single example; all where there is none. */
function evenChunk(count: number, most: number): number {
  let best = { chunk: count, fullness: 0 };
  for (let chunk = most; chunk >= Math.max(2, most / 2); chunk--) {
    const last = count % chunk || chunk;
    if (last > 1 && last / chunk > best.fullness) best = { chunk, fullness: last / chunk };
  }
  return best.chunk;
}
