import { drawBatch, generator } from '../linalg/random.ts';

/** How the examples of a run's batches are chosen. */
export interface BatchSettings {
  readonly n: number;
  readonly batchSize: number;
  readonly replacement: boolean;
  /** 'independent': each step draws anew; 'epoch': each epoch takes all examples in an order of its own. */
  readonly shuffle: 'independent' | 'epoch';
  readonly seed: number;
}

/** Sets the generators of batches apart from any other that is seeded by (seed, t). */
const BATCHES = 0x626174;
const ORDERS = 0x6f7264;

/**
 * The batch of step t: a function of (seed, t) alone, so that a run that goes on, or leaves another, has the same ones.
 *
 * With 'epoch' the ⌊n/b⌋ batches of an epoch are the pieces of one random order of the examples, and what is left of it
 * is left out, as PyTorch's `drop_last` does. Each batch alone is distributed as an independent one without
 * replacement, so γ_{n,b}, and with it tr(S_b) and ρ_b at a step, stay as they are; but the batches of an epoch are not
 * independent: their noises nearly cancel, and over the epoch it is smaller than b independent draws would have.
 *
 * @returns A function of t.
 */
export function batchesOf({ n, batchSize, replacement, shuffle, seed }: BatchSettings): (t: number) => Int32Array {
  if (shuffle === 'independent') {
    return (t) => drawBatch(generator(seed, t, BATCHES), n, batchSize, replacement);
  }
  const perEpoch = Math.floor(n / batchSize);
  let known: { readonly epoch: number; readonly order: Int32Array } | null = null;
  return (t) => {
    const epoch = Math.floor(t / perEpoch);
    if (known?.epoch !== epoch) known = { epoch, order: drawBatch(generator(seed, epoch, ORDERS), n, n, false) };
    const from = (t % perEpoch) * batchSize;
    return known.order.slice(from, from + batchSize);
  };
}
