import type { Observable } from 'rxjs';
import { requireInteger } from '../core/errors.ts';
import type { Objective } from '../core/Objective.ts';
import { requireNames } from '../core/requireNames.ts';
import type { Step } from '../core/Step.ts';
import { descend } from '../training/gradientDescent.ts';
import type { GradientDescentOptions } from '../training/settings.ts';
import { continueFrom } from './continuation.ts';

/** Where a new run leaves the recorded one, and in what it differs. */
export interface ForkOptions
  extends Partial<
    Pick<
      GradientDescentOptions,
      'until' | 'learningRate' | 'batchSize' | 'replacement' | 'shuffle' | 'weightDecay' | 'beta1' | 'beta2'
    >
  > {
  /** The number of updates from there. */
  readonly steps: number;
  /** t of the recorded step that the new run begins at; default: the last. */
  readonly step?: number;
  /** The objective that was recorded; default: rebuilt from the recording (`objectiveOf`). */
  readonly objective?: Objective;
}

const WHO = 'fork';
const CHANGES = ['until', 'learningRate', 'batchSize', 'replacement', 'shuffle', 'weightDecay', 'beta1', 'beta2'];

/**
 * A new run from a recorded step with another η, b or momentum, and otherwise the same: objective, seed, order of the
 * data, velocity.
 *
 * The catapult is one call: `fork(path, { step: 200, learningRate: 0.8, steps: 50 })`. Its steps go on counting from
 * the recorded one, t = step … step + steps, the first being the recorded weights, and the batch of step t is drawn
 * from (seed, t) as in the recorded run; one of another size b draws from the same order. Without momentum in the
 * recording δ begins at zero; without momentum in the fork it is dropped. A fork that changes nothing is the recorded
 * run. It goes on with no table: each of its own has all rows from the first step on.
 *
 * Cost: as `gradientDescent`.
 *
 * @param path A recording.
 * @param options `steps`; `step` (last); `learningRate`, `batchSize`, `replacement`, `shuffle`, `weightDecay`,
 *   `beta1`, `beta2` (as recorded); `until` (never); `objective` (rebuilt).
 * @throws BrinkError at the call for an option that there is not, a step that is not recorded, an objective with
 *   another model, loss or data, or a recording that doesn't say its seed; in the stream for one out of its range, or
 *   where the objective can't be rebuilt.
 */
export function fork(path: string, options: ForkOptions): Observable<Step> {
  requireNames(WHO, options, ['steps', 'step', 'objective', ...CHANGES]);
  const { steps, step, objective, ...given } = options;
  // What is undefined is not changed, as everywhere else.
  const changes = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  requireInteger(WHO, 'steps', steps, 0);
  return continueFrom(WHO, path, { step, objective, closesGap: false }, ({ objective, state, settings, source }) =>
    descend(objective, { ...settings, ...changes, steps: state.index + steps }, state, {
      reads: [path],
      metadata: { initialWeights: 'recorded', fork: { step: state.index, of: source } },
    }),
  );
}
