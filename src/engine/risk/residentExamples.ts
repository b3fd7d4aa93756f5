import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import type { Examples } from '../../core/Dataset.ts';
import { untilIdle } from './untilIdle.ts';

/** A chunk's examples on the device. */
export interface ChunkExamples {
  readonly inputs: Tensor;
  readonly targets: Tensor;
}

/** Examples that stay on the device from pass to pass. */
export interface ResidentExamples {
  /** The chunk that begins at `from`: what is there, else what `make` makes, which stays where it fits. */
  at(examples: Examples, from: number, make: () => ChunkExamples): ChunkExamples;
  /** Runs a pass; see `untilIdle`. Then all are disposed. */
  during<R>(pass: () => Promise<R>): Promise<R>;
}

/**
 * Keeps the examples of passes that follow one another where they were uploaded, so that each is uploaded once.
 *
 * @param limit What they may take, in bytes. The first chunks that fit are kept.
 */
export function residentExamples(limit: number): ResidentExamples {
  const chunks = new Map<Examples, Map<number, ChunkExamples>>();
  let bytes = 0;

  function drop(): void {
    for (const chunk of chunks.values())
      for (const { inputs, targets } of chunk.values()) tf.dispose([inputs, targets]);
    chunks.clear();
    bytes = 0;
  }

  return {
    at(examples, from, make) {
      const known = chunks.get(examples)?.get(from);
      if (known) return known;
      const made = make();
      const size = 4 * (made.inputs.size + made.targets.size);
      if (bytes + size > limit) return made;
      bytes += size;
      const own = chunks.get(examples) ?? new Map<number, ChunkExamples>();
      chunks.set(examples, own.set(from, { inputs: tf.keep(made.inputs), targets: tf.keep(made.targets) }));
      return made;
    },
    during: untilIdle(drop),
  };
}
