import { BrinkError } from '../../core/errors.ts';
import type { Model } from '../Model.ts';
import { evenChunk } from './evenChunk.ts';

/**
 * The chunk of a coupled model whose chunk was not given: all n examples where they fit, as then nothing is arbitrary.
 *
 * @param fitting How many examples fit on the device.
 * @throws BrinkError where they don't all fit: L depends on the partition, so the user names it, not the memory.
 */
export function defaultCoupledChunk(who: string, { name }: Model, n: number, fitting: number): number {
  if (n <= fitting) return n;
  throw new BrinkError(
    who,
    `the model ${name} normalises over the chunk, and no chunk is given. L belongs to the chunks into which the ${n} ` +
      `examples are cut, and about ${fitting} fit on the device at once; name one, such as ` +
      `chunk: ${evenChunk(n, fitting)}.`,
  );
}
