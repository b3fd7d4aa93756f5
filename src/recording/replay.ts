import { setImmediate } from 'node:timers/promises';
import { Observable, type Subscriber } from 'rxjs';
import { BrinkError, requireInteger } from '../core/errors.ts';
import type { Objective } from '../core/Objective.ts';
import { requireNames } from '../core/requireNames.ts';
import { openStep, type Step, stepRun } from '../core/Step.ts';
import { stepGradient } from '../training/stepGradient.ts';
import { cutShort } from './cutShort.ts';
import { objectiveOf } from './objectiveOf.ts';
import { type OpenRecording, openRecording, openSameRecording } from './openRecording.ts';
import { rateOfUpdate } from './rateOfUpdate.ts';
import type { RecordedStep } from './recordingColumns.ts';
import { requireSameLoss } from './requireSameLoss.ts';
import { requireSameObjective } from './requireSameObjective.ts';

/** Which steps are replayed, and what their gradients are computed with. */
export interface ReplayOptions {
  /** The first step that may come; default 0. */
  readonly from?: number;
  /** The last step that may come; default: the last recorded. */
  readonly to?: number;
  /** Replays the recorded steps whose index t has t ≡ offset (mod every); default 1: all. */
  readonly every?: number;
  /** Default 0. */
  readonly offset?: number;
  /**
   * The objective that was recorded: that of the steps, and so of the probes. Default: `objectiveOf(path)`; where that
   * can't be rebuilt and the recording holds the gradients, the steps come without one.
   */
  readonly objective?: Objective;
}

const WHO = 'replay';

/**
 * The steps of a recording once more, the same to the bit: any probe on them gives the rows that it gave, or would have
 * given, live.
 *
 * A step is read where it lies when its turn comes; it is emitted, and the next one waits for all work registered on it
 * (`step.waitUntil`), as with `gradientDescent`. Where the recording holds no gradients they are computed again, which
 * gives the same bits on the engine and machine that recorded; of a step that doesn't say its batch, or with a
 * look-ahead and no velocity, as checkpoints have, the gradient is unknown (NaN). `step.run.metadata` is that of the
 * source that was recorded, so that tables say the same; what measured, engine included, a table says for itself. Each
 * subscription reads anew. A recording that is still being written is replayed as far as it was at the call; one that
 * stops without the mark of its end (the run was cut off, or the file was) as far as it goes, with a warning, and
 * without the last step where that is torn, or damaged: of a file without its end the two can't be told apart.
 *
 * Each step is compared with its checksum as it is read, and where its gradient is computed again, its batch's loss
 * with the recorded one: to the bit on the engine and machine that recorded, else to 1e-4. A step that the disk
 * changed, or a model that computes something else now, is an error at that step; those before it are emitted.
 * (Recordings of before there were checksums have the loss alone.) It proves nothing about what lies between two
 * recorded steps.
 *
 * Cost: reading 4m bytes a step (8m with momentum), some 0.1 ms a recorded step at the call, and b/n gradients a step
 * where none are recorded.
 *
 * @param path A recording.
 * @param options `from` (0), `to` (last), `every` (1), `offset` (0), `objective` (rebuilt).
 * @throws BrinkError at the call for an option out of range or that there is not, a file that is no recording or of an
 *   unknown version, no recorded step within the range, or an objective with another model, loss or data (by checksum);
 *   in the stream where the objective cannot be rebuilt, a step is damaged, or its loss is another.
 */
export function replay(path: string, options: ReplayOptions = {}): Observable<Step> {
  requireNames(WHO, options, ['from', 'to', 'every', 'offset', 'objective']);
  const { from = 0, to, every = 1, offset = 0, objective } = options;
  requireInteger(WHO, 'from', from, 0);
  if (to !== undefined) requireInteger(WHO, 'to', to, from);
  requireInteger(WHO, 'every', every, 1);
  requireInteger(WHO, 'offset', offset, 0);

  const recording = openRecording(WHO, path);
  recording.close();
  const { header, indices, shape, damage } = recording;
  if (objective) requireSameObjective(WHO, recording, objective);
  const cut = cutShort(recording);
  if (cut && (to ?? Number.POSITIVE_INFINITY) > (indices.at(-1) ?? -1)) {
    process.emitWarning(`${WHO}: ${path} is replayed as far as it goes, and ${cut}.`, 'BrinkWarning');
  }
  const chosen = [...indices.keys()].filter((k) => {
    const t = indices[k]!;
    return t >= from && t <= (to ?? t) && t % every === offset % every;
  });
  if (chosen.length === 0) {
    if (damage) throw damage;
    const holds = indices.length === 0 ? 'no whole step' : `steps ${indices[0]} to ${indices.at(-1)}`;
    throw new BrinkError(
      WHO,
      `${path} holds ${holds}, and none with from ${from}, to ${to ?? 'the last'}, every ${every}, offset ${offset}. ` +
        'Choose others.',
    );
  }

  /** Undefined where it is not known of which examples the gradient was, or where it was taken. */
  async function computeAgain(
    file: OpenRecording,
    recorded: RecordedStep,
    own: Objective,
  ): Promise<Float32Array | undefined> {
    const { index, batch, batchSize, replacement, beta2, velocity } = recorded;
    const isOfAll = batchSize === own.exampleCount && !replacement;
    const looksAhead = beta2 > 0 && index > 0;
    if ((batch === null && !isOfAll) || (looksAhead && velocity === null)) return undefined;
    const { loss, gradient } = await stepGradient(own, recorded);
    requireSameLoss(WHO, file, recorded, loss, own);
    return gradient;
  }

  async function emit(file: OpenRecording, subscriber: Subscriber<Step>): Promise<void> {
    const rebuild = () => objectiveOf(path);
    const own = objective ?? (await (shape.hasGradient ? rebuild().catch(() => null) : rebuild()));
    const run = stepRun({
      metadata: header.source,
      total: chosen.length,
      last: indices[chosen.at(-1)!]!,
      reads: [path],
      objective: own,
    });
    for (const k of chosen) {
      if (subscriber.closed) return;
      if (file.indices[k] !== indices[k]) {
        throw new BrinkError(
          WHO,
          `${path} does not hold step ${indices[k]} where it did when it was opened. It was replaced; ` +
            'call replay again.',
        );
      }
      const recorded = file.read(k);
      const gradient = recorded.gradient ?? (await computeAgain(file, recorded, own!));
      if (subscriber.closed) return;
      const learningRate = rateOfUpdate(WHO, file, k, recorded);
      const { step, settled } = openStep({ ...recorded, learningRate, gradient }, run);
      subscriber.next(step);
      await settled();
      await setImmediate();
    }
    if (damage && (to ?? Number.POSITIVE_INFINITY) > (indices.at(-1) ?? -1)) throw damage;
  }

  return new Observable<Step>((subscriber) => {
    const file = openSameRecording(WHO, recording);
    emit(file, subscriber)
      .finally(() => file.close())
      .then(
        () => subscriber.complete(),
        (error) => subscriber.error(error),
      );
  });
}
