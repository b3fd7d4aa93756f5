import { hostname } from 'node:os';
import { BrinkError } from '../core/errors.ts';
import type { Objective } from '../core/Objective.ts';
import { MACHINE } from '../files/versions.ts';
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
  const { source, run, writer } = header;
  if (source?.optimizer !== 'gradientDescent') return;
  if (Object.is(loss, batchLoss)) return;
  const recorded = Object(source.objective ?? null) as Objective['metadata'];
  const rounding = ({ engine, chunk }: Objective['metadata']) => JSON.stringify([engine ?? null, chunk ?? null]);
  const isSameMachine =
    writer.host === hostname() &&
    Object.entries(MACHINE).every(([name, value]) => run[name] === undefined || run[name] === value) &&
    rounding(recorded) === rounding(objective.metadata);
  const room = Math.max(ABSOLUTE, RELATIVE * Math.max(Math.abs(loss), Math.abs(batchLoss)));
  if (!isSameMachine && Math.abs(loss - batchLoss) <= room) return;
  const exactly = isSameMachine
    ? 'on the engine and machine that recorded it'
    : `which is more than another engine or machine explains (${RELATIVE} of it)`;
  throw new BrinkError(
    who,
    `the loss of step ${index} in ${path} is ${batchLoss}, and it is ${loss} when it is computed again, ${exactly}. ` +
      'The step is damaged, or the model, the loss or the data are not those that were recorded.',
  );
}
