import { resolve } from 'node:path';
import type { Observable } from 'rxjs';
import { BrinkError, requireInteger } from '../core/errors.ts';
import type { Objective } from '../core/Objective.ts';
import { requireNames } from '../core/requireNames.ts';
import type { Step } from '../core/Step.ts';
import { descend, type GradientDescentOptions } from '../training/gradientDescent.ts';
import { continueFrom } from './continuation.ts';
import { requireSameRun } from './requireSameRun.ts';

/** How far a recorded run goes on. */
export interface ResumeOptions extends Pick<GradientDescentOptions, 'until'> {
  /** T, the index of the last step, as in gradientDescent: not how many more; default: as recorded. */
  readonly steps?: number;
  /** t of the recorded step that is emitted first; default: the last. */
  readonly step?: number;
  /** The objective that was recorded; default: rebuilt from the recording (`objectiveOf`). */
  readonly objective?: Objective;
}

const WHO = 'resume';

/**
 * Goes on with a run from its recording, bit for bit: everything but its length is that of the recording.
 *
 * The state at a step is θ_t and δ_{t−1}, and the batches follow from the seed, so from there on each step has the bits
 * that the run would have had, on the same engine and machine. The first step to be emitted is the last recorded one
 * (or `step`). In a branch of it, `record()` goes on with the same recording by itself.
 *
 * Tables are not gone on with, as a Parquet file can't be: `recover` finishes those of the killed run, the resumed one
 * writes its own into a folder of its own, and together they are the table. A table lacks at most the rows of the last
 * second; `step`, from behind its last row, measures those again, and `step: 0` gives tables that are whole, at the
 * price of measuring everything again. A probe that follows something from step to step (eigenvectors) starts afresh.
 *
 * Cost: as `gradientDescent`.
 *
 * @param path A recording.
 * @param options `steps` (as recorded), `until` (as recorded), `step` (last), `objective` (rebuilt).
 * @throws BrinkError at the call for an option that there is not, a step that is not recorded, an objective with
 *   another model, loss or data, or a recording that doesn't say its seed; in the stream where the objective can't be
 *   rebuilt, the engine is another, or `steps` lies before the step.
 */
export function resume(path: string, options: ResumeOptions = {}): Observable<Step> {
  requireNames(WHO, options, ['steps', 'until', 'step', 'objective']);
  const { steps, until, step, objective } = options;
  if (steps !== undefined) requireInteger(WHO, 'steps', steps, 0);
  return continueFrom(WHO, path, { step, objective }, ({ recording, objective, state, settings, source }) => {
    requireSameRun(WHO, path, recording.header, { ...source, objective: objective.metadata });
    const recorded = recordedLength(source);
    if (steps !== undefined && steps < state.index) {
      throw new BrinkError(
        WHO,
        `steps is ${steps}, and the recording goes on at step ${state.index}. It is the step to end at, as in gradientDescent: for ${steps} more, ${state.index + steps}.`,
      );
    }
    const length = { ...recorded, ...(steps !== undefined && { steps }), ...(until && { until }) };
    return descend(objective, { ...settings, ...length }, state, {
      reads: [path],
      resumes: resolve(path),
      metadata: {
        initialWeights: source.initialWeights ?? 'seed',
        ...(source.fork !== undefined && { fork: source.fork }),
      },
    });
  });
}

/** `steps` and `until` as the recorded source had them: a null there is a limit that was not set. */
function recordedLength({
  steps,
  until,
}: {
  readonly [key: string]: unknown;
}): Pick<GradientDescentOptions, 'steps' | 'until'> {
  const limits = Object.entries(Object(until ?? {}) as Record<string, number | null>).filter(
    ([, limit]) => limit !== null,
  );
  return {
    steps: steps as number,
    ...(limits.length > 0 && { until: Object.fromEntries(limits) }),
  };
}
