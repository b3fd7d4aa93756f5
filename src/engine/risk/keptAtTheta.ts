import { untilIdle } from './untilIdle.ts';

/** What was computed at a θ, and serves every product there. */
export interface Held {
  /** On the device. */
  readonly bytes: number;
  dispose(): void;
}

/** What was computed at one θ, one a chunk, as long as it is needed and fits. */
export interface KeptAtTheta<T extends Held> {
  /** What is kept of the chunk at θ; else what `make` makes, kept where it fits, otherwise the caller's to dispose. */
  at(weights: Float32Array, chunk: number, make: () => T): { readonly held: T; readonly kept: boolean };
  /** Runs a pass; see `untilIdle`. Then all are disposed. */
  during<R>(pass: () => Promise<R>): Promise<R>;
}

/**
 * Keeps what does not depend on v from one product to the next at the newest θ.
 *
 * @param limit What it may hold on the device altogether, in bytes. The first chunks that fit are kept.
 */
export function keptAtTheta<T extends Held>(limit: number): KeptAtTheta<T> {
  const all = new Map<number, T>();
  let theta: Float32Array | null = null;
  let bytes = 0;

  function drop(): void {
    for (const held of all.values()) held.dispose();
    all.clear();
    bytes = 0;
    theta = null;
  }

  return {
    at(weights, chunk, make) {
      if (weights !== theta) drop();
      theta = weights;
      const known = all.get(chunk);
      if (known) return { held: known, kept: true };
      const held = make();
      const kept = bytes + held.bytes <= limit;
      if (kept) {
        all.set(chunk, held);
        bytes += held.bytes;
      }
      return { held, kept };
    },
    during: untilIdle(drop),
  };
}
