import { learningRates, type Schedule } from '../training/schedule.ts';
import type { OpenRecording } from './openRecording.ts';
import type { RecordedStep } from './recordingColumns.ts';

/**
 * η of the update that leads from a recorded step, the k-th of its recording.
 *
 * It stands in the step, but where a run had ended there, and was gone on with later: the step arrived at was written
 * with the rate of the update before, as none went from it then.
 */
export function rateOfUpdate(
  who: string,
  { header, indices }: OpenRecording,
  k: number,
  { index, learningRate }: RecordedStep,
): number {
  const { optimizer, learningRate: schedule } = header.source ?? {};
  const isScheduled = optimizer === 'gradientDescent' && typeof schedule === 'object' && schedule !== null;
  if (!isScheduled || k === indices.length - 1) return learningRate;
  const { asLast, ofUpdate } = ratesAt(who, schedule as unknown as Schedule, index);
  return Object.is(learningRate, asLast) ? ofUpdate : learningRate;
}

/** η at a step: where the run ends there, as none goes from it, and of its update, where one does. */
export function ratesAt(who: string, given: number | Schedule, index: number): { asLast: number; ofUpdate: number } {
  const rateIn = (T: number) => learningRates(who, given, T).at(index);
  return { asLast: rateIn(index), ofUpdate: hasComeToZero(given, index) ? 0 : rateIn(index + 1) };
}

/** Whether a schedule has no rate for an update from a step, so that the run ends there at the latest. */
function hasComeToZero(given: number | Schedule, index: number): boolean {
  if (typeof given !== 'object' || given.schedule !== 'cosine') return false;
  const { end = 0, over = Number.POSITIVE_INFINITY } = given;
  return end === 0 && index >= over;
}
