import { resolve } from 'node:path';
import { finalize, type Observable } from 'rxjs';
import { BrinkError, requireInteger } from '../core/errors.ts';
import type { Objective } from '../core/Objective.ts';
import { requireNames } from '../core/requireNames.ts';
import type { Step } from '../core/Step.ts';
import { descend, type KnownSteps } from '../training/gradientDescent.ts';
import type { GradientDescentOptions } from '../training/settings.ts';
import { continueFrom } from './continuation.ts';
import { isSameMachine } from './isSameMachine.ts';
import { type OpenRecording, openSameRecording } from './openRecording.ts';
import type { RecordedStep } from './recordingColumns.ts';
import { requireSameLoss } from './requireSameLoss.ts';
import { requireSameRun } from './requireSameRun.ts';
import { requireSameWeights } from './requireSameWeights.ts';

/** How far a recorded run goes on. */
export interface ResumeOptions extends Pick<GradientDescentOptions, 'until'> {
  /** T, the index of the last step, as in gradientDescent: not how many more; default: as recorded. */
  readonly steps?: number;
  /** t of the recorded step that is emitted first; default: one from which no row is left out. */
  readonly step?: number;
  /** The objective that was recorded; default: rebuilt from the recording (`objectiveOf`). */
  readonly objective?: Objective;
}

const WHO = 'resume';

/**
 * Goes on with a run from its recording, bit for bit: everything but its length is that of the recording.
 *
 * The state at a step is θ_t and δ_{t−1}, and the batches follow from the seed, so from there on each step has the bits
 * that the run would have had, on the same engine and machine. In a branch of it, `record()` goes on with the same
 * recording by itself; no two processes can at once.
 *
 * Tables are not gone on with, as a Parquet file can't be: `recover` finishes those of the killed run, the resumed one
 * writes its own into a folder of its own, and together they are the table, each row once, whether Parquet, Arrow, CSV
 * or TensorBoard's events. As a killed run has not written the last rows of each table, the first step to be emitted is
 * the recorded one at or before the end of the table that ends first, and each branch writes the rows that lie behind
 * the end of its own table: the one with the same name, in the folder of the recording and in those of runs that went
 * on with it before. Steps up to the last recorded one are as they were recorded, those between two recorded ones are
 * made again. What was done is said as the run begins, and stands in run.json (`resumed`). A table whose key has no
 * step, or that lies outside of its run's folder, can't be joined; an operator that counts what comes or remembers it
 * (`take`, `untilPassed`, `near` at the steps that its gauge leaves out), or a probe that follows something from step
 * to step (eigenvectors), starts afresh.
 * A branch that had ended by itself before the run was killed has no more rows, and one that had failed is measured
 * from there on. With `step` all rows from there on are written: `step: 0` gives tables that are whole, at the price of
 * measuring everything again.
 *
 * Cost: as `gradientDescent`, and at the beginning the keys of the tables are read.
 *
 * @param path A recording.
 * @param options `steps` (as recorded), `until` (as recorded), `step` (where the first table ends), `objective`
 *   (rebuilt).
 * @throws BrinkError at the call for an option that there is not, a step that is not recorded, an objective with
 *   another model, loss or data, or a recording that doesn't say its seed; in the stream where the objective can't be
 *   rebuilt, the engine is another, a table or the record of the run is damaged, or `steps` lies before the step.
 */
export function resume(path: string, options: ResumeOptions = {}): Observable<Step> {
  requireNames(WHO, options, ['steps', 'until', 'step', 'objective']);
  const { steps, until, step, objective } = options;
  if (steps !== undefined) requireInteger(WHO, 'steps', steps, 0);

  return continueFrom(WHO, path, { step, objective, closesGap: step === undefined }, (recorded) => {
    const { recording, objective, state, settings, source, gap } = recorded;
    requireSameRun(WHO, path, recording.header, { ...source, objective: objective.metadata });
    if (steps !== undefined && steps < state.index) {
      throw new BrinkError(
        WHO,
        `steps is ${steps}, and the recording goes on at step ${state.index}. It is the step to end at, as in gradientDescent: for ${steps} more, ${state.index + steps}.`,
      );
    }
    const length = {
      ...recordedLength(source),
      ...(steps !== undefined && { steps }),
      ...(until !== undefined && { until }),
    };
    const torn = recording.tornBytes > 0 ? TORN(recording) : null;
    const notes = [torn, gap.note, isSameMachine(recording.header, objective) ? null : ELSEWHERE(recording)];
    const said = notes.filter((note) => note !== null);
    const about = {
      reads: [path, ...gap.files],
      resumes: { recording: resolve(path), tables: gap.tables, note: said.length > 0 ? said.join(' ') : null },
      metadata: {
        initialWeights: source.initialWeights ?? 'seed',
        ...(source.fork !== undefined && { fork: source.fork }),
      },
    };
    const file = openSameRecording(WHO, recording);
    try {
      const known = recordedSteps(file, state.index, objective);
      return descend(objective, { ...settings, ...length }, state, about, known).pipe(finalize(() => file.close()));
    } catch (error) {
      file.close();
      throw error;
    }
  });
}

const TORN = ({ path, tornBytes }: OpenRecording) =>
  `${path} was cut off: the ${tornBytes} bytes behind its last whole step are left out.`;

const ELSEWHERE = ({ indices }: OpenRecording) =>
  'It was recorded on another machine or with other versions, whose arithmetic may round differently: behind step ' +
  `${indices.at(-1)} the bits need not be those that the run would have had there.`;

/** The steps behind one of a recording's, for a run that passes through them. */
function recordedSteps(file: OpenRecording, from: number, objective: Objective): KnownSteps {
  const places = new Map(file.indices.map((t, k) => [t, k]));
  const isSame = isSameMachine(file.header, objective);
  let held: RecordedStep | null = null;
  return {
    at(index, own) {
      const k = places.get(index);
      // One that is damaged is made again.
      held = k === undefined || !file.isSound(k) ? null : file.read(k);
      if (held === null) return own;
      if (isSame) requireSameWeights(WHO, file.path, held, { index, ...own });
      return held;
    },
    requireLoss(index, loss) {
      if (index > from && held?.index === index) requireSameLoss(WHO, file, held, loss, objective);
    },
  };
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
