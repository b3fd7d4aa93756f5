import { defer, from, type Observable, switchMap } from 'rxjs';
import { BrinkError } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import type { Objective } from '../core/Objective.ts';
import type { Step } from '../core/Step.ts';
import type { TrainingState } from '../training/gradientDescent.ts';
import type { GradientDescentOptions } from '../training/settings.ts';
import { stepGradient } from '../training/stepGradient.ts';
import { type Gap, gapOf, NO_GAP } from './gapOf.ts';
import { objectiveOf } from './objectiveOf.ts';
import { type OpenRecording, openRecording, openSameRecording } from './openRecording.ts';
import { placeOf } from './placeOf.ts';
import { requireSameLoss } from './requireSameLoss.ts';
import { requireSameObjective } from './requireSameObjective.ts';
import { requireSameSettings } from './requireSameSettings.ts';

/** From where a recorded run goes on, in the same way or in another. */
interface Beginning {
  /** t of the recorded step; default: the last. */
  readonly step: number | undefined;
  /** Whether it begins earlier than at the last step, where the tables of the run end before it. */
  readonly closesGap: boolean;
  /** L; default: rebuilt from the recording once the first subscription comes. */
  readonly objective: Objective | undefined;
}

/** A recorded run as it stands at one of its steps. */
export interface Recorded {
  readonly recording: OpenRecording;
  readonly objective: Objective;
  readonly state: TrainingState;
  /** The options of gradientDescent that were recorded, without those of its length. */
  readonly settings: Omit<GradientDescentOptions, 'steps' | 'epochs' | 'until' | 'initialWeights'>;
  /** What the source said of itself, without its objective. */
  readonly source: JsonObject;
  readonly gap: Gap;
}

/**
 * Opens a recording of gradientDescent at a step, for a source that goes on from there.
 *
 * @param begin Makes the source, once the objective is there.
 * @throws BrinkError at the call where the recording does not hold the step, is not one of gradientDescent, or belongs
 *   to another objective than the one given, or its draws are those of an older brink; in the stream where the
 *   objective can't be rebuilt, the step is damaged, its loss is another, or the recording was replaced since.
 */
export function continueFrom(
  who: string,
  path: string,
  { step, objective, closesGap }: Beginning,
  begin: (recorded: Recorded) => Observable<Step>,
): Observable<Step> {
  const { recording, k, batch } = atStep(who, path, step);
  const { objective: _, ...source } = recording.header.source ?? {};
  if (typeof source.seed !== 'number') {
    throw new BrinkError(
      who,
      `${path} doesn't say its seed. Its source is not gradientDescent, so its batches are not known.`,
    );
  }
  if (recording.version === '1' && batch !== null) {
    throw new BrinkError(
      who,
      `${path} was recorded by an older brink, which drew other batches from the same seed. ` +
        'Replay it, or go on with the brink that recorded it.',
    );
  }
  if (objective) requireSameObjective(who, recording, objective);
  const open = async (): Promise<Recorded> => {
    const own = objective ?? (await objectiveOf(path));
    const file = openSameRecording(who, recording);
    try {
      if (file.indices[k] !== recording.indices[k]) {
        throw new BrinkError(
          who,
          `${path} does not hold step ${recording.indices[k]} where it did when it was opened. It was replaced; ` +
            `call ${who} again.`,
        );
      }
      const gap = closesGap ? await gapOf(who, file) : NO_GAP(k);
      const recorded = file.read(gap.from);
      requireSameSettings(who, path, source, recorded);
      const { loss } = await stepGradient(own, recorded);
      requireSameLoss(who, file, recorded, loss, own);
      const { index, weights, velocity, epoch } = recorded;
      const state = { index, weights, velocity, epoch };
      return { recording, objective: own, state, settings: settingsOf(source, own), source, gap };
    } finally {
      file.close();
    }
  };
  return defer(() => from(open()).pipe(switchMap(begin)));
}

/** A recording, closed again, with the place and the batch of one of its steps. */
function atStep(who: string, path: string, step: number | undefined) {
  const recording = openRecording(who, path);
  try {
    if (step === undefined && recording.damage) throw recording.damage;
    const k = placeOf(who, recording, step);
    return { recording, k, batch: recording.read(k).batch };
  } finally {
    recording.close();
  }
}

/** The recorded settings; full-batch GD has no batch size of its own. */
function settingsOf(
  { learningRate, batchSize, replacement, shuffle, weightDecay, beta1, beta2, seed }: JsonObject,
  { exampleCount: n }: Objective,
): Recorded['settings'] {
  const isFullBatch = batchSize === n && replacement === false;
  const settings = {
    ...{ learningRate, beta1, beta2, seed },
    ...(shuffle !== undefined && { shuffle }),
    ...(weightDecay !== undefined && { weightDecay }),
    ...(!isFullBatch && { batchSize, replacement }),
  };
  // What `record` wrote is what gradientDescent had checked; it checks it again.
  return settings as unknown as Recorded['settings'];
}
