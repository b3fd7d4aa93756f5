import * as tf from '@tensorflow/tfjs-core';
import type { GraphSessions } from './GraphSessions.ts';
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
 * Records the passes of an objective as they are asked for, on the engine that is open.
 *
 * A pass that can't be recorded runs operation by operation from then on; a warning says why, once for its kind.
 *
 * @param who Whose passes they are, for the warning.
 * @param sessions Of that engine.
 */
export function recordedPasses(who: string, sessions: GraphSessions): RecordedPasses {
  const backend = tf.backend() as unknown as NativeBackend;
  const passes = new Map<string, RecordedPass>();
  // By shapes too: which pass is a graph then never depends on what was asked for before, as in a run that was resumed.
  const refused = new Set<string>();
  const told = new Set<string>();
  return {
    of(name, inputs, body) {
      const key = JSON.stringify([name, inputs.map(({ shapes, changes }) => [shapes, changes])]);
      if (refused.has(key)) return null;
      try {
        const pass = passes.get(key) ?? new RecordedPass(backend, sessions, inputs, body);
        passes.delete(key);
        passes.set(key, pass);
        if (passes.size > MOST) passes.delete(passes.keys().next().value!);
        return pass;
      } catch (error) {
        if (!(error instanceof NotRecordable)) throw error;
        refused.add(key);
        if (told.has(name)) return null;
        told.add(name);
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
