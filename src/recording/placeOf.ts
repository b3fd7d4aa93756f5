import { BrinkError, requireInteger } from '../core/errors.ts';
import type { OpenRecording } from './openRecording.ts';

/**
 * Where a step lies in a recording; without an index the last.
 *
 * @throws BrinkError where the recording does not hold that step, or damage may hide it.
 */
export function placeOf(who: string, { path, indices, damage }: OpenRecording, index?: number): number {
  if (index !== undefined) requireInteger(who, 'step', index, 0);
  const k = index === undefined ? indices.length - 1 : indices.indexOf(index);
  if (k >= 0) return k;
  if (damage) throw damage;
  const holds =
    indices.length === 0 ? 'no whole step' : `${indices.length} steps from ${indices[0]} to ${indices.at(-1)}`;
  throw new BrinkError(
    who,
    `${path} holds ${holds}${index === undefined ? '' : `, and not step ${index}`}. Begin at one that is recorded.`,
  );
}
