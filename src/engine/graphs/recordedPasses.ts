import * as tf from '@tensorflow/tfjs-core';
import type { NativeBackend } from './NativeBackend.ts';
import { NotRecordable } from './NotRecordable.ts';
import { type PassBody, type PassInput, RecordedPass } from './RecordedPass.ts';

/** Passes of one objective that are known at once, one for each kind and shapes. */
const MOST = 64;

/** The recorded passes of one objective. */
export interface RecordedPasses {
  /**
   * The pass of this name and shapes, recorded where it is asked for first; null where it runs operation by operation.
   *
   * @param name What the body does: the same name, the same body.
   */
  of(name: string, inputs: readonly PassInput[], body: PassBody): RecordedPass | null;
}

/**
 * Records the passes of an objective as they are asked for, on the engine that is open, which is `tensorflow`.
 *
 * A kind of pass that can't be recorded runs operation by operation from then on; a warning says why.
 *
 * @param who Whose passes they are, for the warning.
 */
export function recordedPasses(who: string): RecordedPasses {
  const passes = new Map<string, RecordedPass>();
  const refused = new Set<string>();
  return {
    of(name, inputs, body) {
      if (refused.has(name)) return null;
      const key = JSON.stringify([name, inputs.map(({ shapes }) => shapes)]);
      try {
        const pass = passes.get(key) ?? new RecordedPass(tf.backend() as unknown as NativeBackend, inputs, body);
        passes.delete(key);
        passes.set(key, pass);
        if (passes.size > MOST) passes.delete(passes.keys().next().value!);
        return pass;
      } catch (error) {
        if (!(error instanceof NotRecordable)) throw error;
        refused.add(name);
        process.emitWarning(
          `${who}: the pass '${name}' can't run as one graph: ${error.message}. It runs operation by operation, which is slower and as right.`,
          'BrinkWarning',
        );
        return null;
      }
    },
  };
}

/**
 * Whether passes are to be recorded, where nothing else says so: BRINK_GRAPHS, on unless it says `off`.
 *
 * @throws Error where it says something else.
 */
export function graphsByDefault(): boolean {
  const { BRINK_GRAPHS: setting = '' } = process.env;
  if (!['', 'on', 'off'].includes(setting)) throw new Error(`BRINK_GRAPHS is '${setting}'. It must be on or off.`);
  return setting !== 'off';
}
