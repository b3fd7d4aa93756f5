import { BrinkError, requireInteger } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import type { Objective } from '../core/Objective.ts';
import type { StepSource } from '../core/StepSource.ts';
import { descend, type GradientDescentOptions } from '../training/gradientDescent.ts';
import { openRecording } from './openRecording.ts';
import { readStart } from './readState.ts';
import { requireSameObjective } from './requireSameObjective.ts';

/** Where a new run leaves the recorded one, and in what it differs. */
export interface ForkOptions
  extends Partial<
    Pick<GradientDescentOptions, 'until' | 'learningRate' | 'batchSize' | 'replacement' | 'beta1' | 'beta2'>
  > {
  /** The objective that was recorded. */
  readonly objective: Objective;
  /** t of the recorded step that the new run begins at; default: the last. */
  readonly step?: number;
  /** The number of updates from there. */
  readonly steps: number;
}

/** What a fork takes from the recorded run where it is not given. */
type Settings = Pick<GradientDescentOptions, 'learningRate' | 'batchSize' | 'replacement' | 'beta1' | 'beta2'>;

const WHO = 'fork';

/**
 * A new run from a recorded step with another η, b or momentum, and otherwise the same: seed, order of the data, velocity.
 *
 * The catapult is one call: `fork(path, { objective, step: 200, learningRate: 0.8, steps: 50 })`. Its steps go on counting from
 * the recorded one, t = step … step + steps, the first being the recorded weights, and the batch of step t is drawn from (seed, t) as in the
 * recorded run; one of another size b draws from the same order. Without momentum in the recording δ begins at zero; without momentum in
 * the fork it is dropped. A fork that changes nothing is the recorded run.
 *
 * Cost: as `gradientDescent`.
 *
 * @param path A recording.
 * @param options `objective`, `steps`; `step` (last); `learningRate`, `batchSize`, `replacement`, `beta1`, `beta2` (as recorded); `until` (never).
 * @throws BrinkError at the call for an option out of its range, a step that is not recorded, an objective with another model, loss or data,
 *   or a recording that doesn't say its seed.
 */
export function fork(path: string, options: ForkOptions): StepSource {
  const { objective, step, steps, until, ...changes } = options;
  requireInteger(WHO, 'steps', steps, 0);
  const recording = openRecording(WHO, path);
  try {
    requireSameObjective(WHO, recording, objective);
    const start = readStart(WHO, recording, objective.exampleCount, step);
    const { objective: _, ...source } = recording.header.source ?? {};
    if (typeof source.seed !== 'number') {
      throw new BrinkError(
        WHO,
        `${path} doesn't say its seed. Its source is not gradientDescent, so its batches are not known.`,
      );
    }
    const settings = { ...settingsOf(source, objective), ...changes };
    const forked = descend(
      objective,
      { ...settings, ...(until && { until }), seed: source.seed, steps: start.index + steps },
      start,
      { initialWeights: 'recorded', fork: { step: start.index, of: source as JsonObject } },
    );
    return Object.assign(forked, { reads: [path] });
  } finally {
    recording.close();
  }
}

/** The recorded settings; full-batch GD has no batch size of its own. */
function settingsOf(
  { learningRate, batchSize, replacement, beta1, beta2 }: JsonObject,
  { exampleCount: n }: Objective,
) {
  const isFullBatch = batchSize === n && replacement === false;
  return { learningRate, beta1, beta2, ...(!isFullBatch && { batchSize, replacement }) } as unknown as Settings;
}
