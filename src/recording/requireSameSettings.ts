import { BrinkError } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import { learningRates, type Schedule } from '../training/schedule.ts';
import type { RecordedStep } from './recordingColumns.ts';

/**
 * Throws unless a recorded step was taken with the settings that the recording says of its run: a header without a
 * checksum may be damaged and still be read.
 */
export function requireSameSettings(who: string, path: string, source: JsonObject, step: RecordedStep): void {
  const rates = learningRates(who, source.learningRate as number | Schedule, source.steps as number);
  const said: JsonObject = { ...source, learningRate: rates.at(step.index) };
  for (const name of ['learningRate', 'batchSize', 'replacement', 'beta1', 'beta2'] as const) {
    if (Object.is(said[name], step[name])) continue;
    throw new BrinkError(
      who,
      `step ${step.index} of ${path} was taken with ${name} ${step[name]}, and the run is said to have ${said[name]} ` +
        'there. One of the two is damaged; take another copy of the file.',
    );
  }
}
