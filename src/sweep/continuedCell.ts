import { firstValueFrom, type Observable } from 'rxjs';
import type { Step } from '../core/Step.ts';
import { gapOf } from '../recording/gapOf.ts';
import { openRecording } from '../recording/openRecording.ts';
import { resume } from '../recording/resume.ts';
import { tablesOf } from '../recording/tablesOf.ts';
import type { RunParts } from '../runs/RunParts.ts';
import { recover } from '../runs/recover.ts';

const WHO = 'sweep';

/**
 * The step from which a cell that was cut off goes on: the last checkpoint before which no table lacks a row; null
 * where it begins anew, as there is none, or the run did not end by being cut off.
 *
 * What a kill has left of the tables is finished first.
 */
export async function stepToGoOnFrom(parts: RunParts, every: number): Promise<number | null> {
  if (parts.records.length === 0 || parts.records.at(-1)!.state === 'failed') return null;
  if (parts.recordedSteps().length === 0) return null;
  for (const folder of parts.folders) {
    const unfinished = (await recover(folder)).filter(({ problem, leftTo }) => problem !== null || leftTo !== null);
    if (unfinished.length > 0) return null;
  }
  const { withoutStep = [] } = (await tablesOf(WHO, parts.recording)) ?? {};
  if (withoutStep.length > 0) return null;
  const file = openRecording(WHO, parts.recording);
  try {
    const { from } = await gapOf(WHO, file);
    const last = file.indices[from]!;
    const step = file.indices.findLast((t) => t <= last && t % every === 0) ?? 0;
    return step > 0 ? step : null;
  } finally {
    file.close();
  }
}

/** The steps of a run from a checkpoint on, of the objective that the run itself would have. */
export async function continuedSteps(begun: Observable<Step>, recording: string, step: number) {
  const { run } = await firstValueFrom(begun);
  return resume(recording, { step, ...(run.objective && { objective: run.objective }) });
}
