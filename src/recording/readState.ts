import { BrinkError, requireInteger } from '../core/errors.ts';
import type { TrainingState } from '../training/gradientDescent.ts';
import type { OpenRecording } from './openRecording.ts';

/**
 * Where a step lies in a recording; without an index the last.
 *
 * @throws BrinkError where the recording does not hold that step.
 */
export function placeOf(who: string, { path, indices }: OpenRecording, index?: number): number {
  if (index !== undefined) requireInteger(who, 'step', index, 0);
  const k = index === undefined ? indices.length - 1 : indices.indexOf(index);
  if (k >= 0) return k;
  const holds =
    indices.length === 0 ? 'no whole step' : `${indices.length} steps from ${indices[0]} to ${indices.at(-1)}`;
  throw new BrinkError(
    who,
    `${path} holds ${holds}${index === undefined ? '' : `, and not step ${index}`}. Begin at one that is recorded.`,
  );
}

/**
 * The state at the k-th of the recorded steps.
 *
 * @param exampleCount n.
 */
export function readState({ read }: OpenRecording, k: number, exampleCount: number): TrainingState {
  const { index, weights, velocity, epoch } = read(k);
  return { index, weights, velocity, seen: Math.round(epoch * exampleCount) };
}
