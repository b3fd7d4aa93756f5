import { BrinkError } from '../core/errors.ts';
import type { Objective } from '../core/Objective.ts';
import { isSameMachine } from './isSameMachine.ts';
import type { OpenRecording } from './openRecording.ts';
import type { RecordedStep } from './recordingColumns.ts';

/** How far losses may lie apart where engine or machine are others: relative to the larger, and at the least. */
const RELATIVE = 1e-4;
const ABSOLUTE = 1e-6;

/**
 * Throws unless the loss of a step's batch, computed again where its gradient was taken, is the one that was recorded:
 * to the bit on the engine and machine that recorded, else to 1e-4.
 *
 * So damaged weights are noticed in a recording without checksums, and a model, a loss or data that compute something
 * else than what was recorded under their name. Only of gradientDescent is it known how the loss came about.
 */
export function requireSameLoss(
  who: string,
  { path, header }: OpenRecording,
  { index, batchLoss }: RecordedStep,
  loss: number,
  objective: Objective,
): void {
  if (header.source?.optimizer !== 'gradientDescent') return;
  if (Object.is(loss, batchLoss)) return;
  const isSame = isSameMachine(header, objective);
  const room = Math.max(ABSOLUTE, RELATIVE * Math.max(Math.abs(loss), Math.abs(batchLoss)));
  if (!isSame && Math.abs(loss - batchLoss) <= room) return;
  const exactly = isSame
    ? 'on the engine and machine that recorded it'
    : `which is more than another engine or machine explains (${RELATIVE} of it)`;
  throw new BrinkError(
    who,
    `the loss of step ${index} in ${path} is ${batchLoss}, and it is ${loss} when it is computed again, ${exactly}. ` +
      'The step is damaged, or the model, the loss or the data are not those that were recorded.',
  );
}
