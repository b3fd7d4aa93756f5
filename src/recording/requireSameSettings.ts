import { BrinkError } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import type { Schedule } from '../training/schedule.ts';
import { ratesAt } from './rateOfUpdate.ts';
import type { RecordedStep } from './recordingColumns.ts';

/**
 * Throws unless a recorded step was taken with the settings that the recording says of its run: a header without a
 * checksum may be damaged and still be read.
 *
 * A run may have gone on beyond the length that its header says, and ended at any step: the rate is that of the step's
 * own update, or, where it was the last, that of the one before.
 */
export function requireSameSettings(who: string, path: string, source: JsonObject, step: RecordedStep): void {
  const { asLast, ofUpdate } = ratesAt(who, source.learningRate as number | Schedule, step.index);
  const learningRate = Object.is(asLast, step.learningRate) ? asLast : ofUpdate;
  const said: JsonObject = { ...source, learningRate };
  for (const name of ['learningRate', 'batchSize', 'replacement', 'beta1', 'beta2'] as const) {
    if (Object.is(said[name], step[name])) continue;
    throw new BrinkError(
      who,
      `step ${step.index} of ${path} was taken with ${name} ${step[name]}, and the run is said to have ${said[name]} ` +
        'there. One of the two is damaged; take another copy of the file.',
    );
  }
}
