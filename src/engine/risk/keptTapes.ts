import type { GradientTape } from '../gradientTape.ts';

/** Tapes at one θ, one a chunk, as long as they are needed and fit. */
export interface KeptTapes {
  /** The chunk's tape at θ if it is kept; else a new one, kept where it fits, otherwise the caller's to dispose. */
  at(
    weights: Float32Array,
    chunk: number,
    record: () => GradientTape,
  ): { readonly tape: GradientTape; readonly kept: boolean };
  /** Runs a pass. When none has begun by the next turn of the event loop nobody asks any more: all are disposed. */
  during<T>(pass: () => Promise<T>): Promise<T>;
}

/**
 * Keeps tapes of the newest θ from one product to the next.
 *
 * @param limit What they may hold on the device together, in bytes. The first chunks that fit are kept.
 */
export function keptTapes(limit: number): KeptTapes {
  const tapes = new Map<number, GradientTape>();
  let theta: Float32Array | null = null;
  let bytes = 0;
  let running = 0;
  let idle: NodeJS.Immediate | undefined;

  function drop(): void {
    for (const tape of tapes.values()) tape.dispose();
    tapes.clear();
    bytes = 0;
    theta = null;
  }

  return {
    at(weights, chunk, record) {
      if (weights !== theta) drop();
      theta = weights;
      const known = tapes.get(chunk);
      if (known) return { tape: known, kept: true };
      const tape = record();
      const kept = bytes + tape.bytes <= limit;
      if (kept) {
        tapes.set(chunk, tape);
        bytes += tape.bytes;
      }
      return { tape, kept };
    },
    async during(pass) {
      clearImmediate(idle);
      running++;
      try {
        return await pass();
      } finally {
        running--;
        if (running === 0 && tapes.size > 0) idle = setImmediate(drop);
      }
    },
  };
}
