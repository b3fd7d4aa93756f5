import { BrinkError, requireInteger } from '../core/errors.ts';
import type { OpenRecording } from './openRecording.ts';

/** Where a run begins that does not begin at θ_0. */
export interface Start {
  /** t of the first step. */
  readonly index: number;
  /** θ_t. */
  readonly weights: Float32Array;
  /** δ_{t−1}; null without momentum. */
  readonly velocity: Float32Array | null;
  /** Examples that the updates before have used. */
  readonly seen: number;
}

/**
 * The state at a recorded step; without an index at the last one.
 *
 * @param exampleCount n.
 * @throws BrinkError where the recording does not hold that step.
 */
export function readStart(who: string, recording: OpenRecording, exampleCount: number, index?: number): Start {
  const { path, indices } = recording;
  if (index !== undefined) requireInteger(who, 'step', index, 0);
  const k = index === undefined ? indices.length - 1 : indices.indexOf(index);
  if (k < 0) {
    const holds =
      indices.length === 0 ? 'no whole step' : `${indices.length} steps from ${indices[0]} to ${indices.at(-1)}`;
    throw new BrinkError(
      who,
      `${path} holds ${holds}${index === undefined ? '' : `, and not step ${index}`}. Begin at one that is recorded.`,
    );
  }
  const { index: t, weights, velocity, epoch } = recording.read(k);
  return { index: t, weights, velocity, seen: Math.round(epoch * exampleCount) };
}
