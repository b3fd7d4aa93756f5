import { BrinkError } from '../core/errors.ts';
import type { StepData } from '../core/StepData.ts';
import type { RecordedStep } from './recordingColumns.ts';

/** Throws unless a step has the weights, to the bit, that were recorded of it. */
export function requireSameWeights(
  who: string,
  path: string,
  recorded: RecordedStep,
  { index, weights }: Pick<StepData, 'index' | 'weights'>,
): void {
  const k = weights.findIndex((w, k) => !Object.is(w, recorded.weights[k]));
  if (k < 0) return;
  throw new BrinkError(
    who,
    `entry ${k} of θ at step ${index} is ${weights[k]}, and ${path} has ${recorded.weights[k]}. ` +
      'The run that comes is not the one that was recorded; the engine, the machine or the objective differs, ' +
      'or the recording is damaged.',
  );
}
