import { firstValueFrom, type Observable } from 'rxjs';
import { BrinkError } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import type { Step } from '../core/Step.ts';
import { record } from '../recording/record.ts';
import { resume } from '../recording/resume.ts';
import type { Branches } from '../runs/branches.ts';
import { recover } from '../runs/recover.ts';
import { run } from '../runs/run.ts';
import { CHECKPOINT, type SeededRun } from './figure.ts';
import { RunParts } from './RunParts.ts';

/** How a run of a figure is made. */
export interface MakeRunOptions {
  readonly folder: string;
  /** SHA-256 of the figure's definition: a part of another one is not gone on with. */
  readonly definition: string;
  readonly metadata: JsonObject;
  /** Whether it begins anew in any case. */
  readonly again: boolean;
  readonly progress: boolean;
}

/**
 * Makes a run: goes on where it was cut off, if it has a checkpoint and a step is recorded, or else begins it.
 *
 * @throws BrinkError as a rejection where it failed or was stopped. What was measured is kept.
 */
export async function makeRun({ plan, seed }: SeededRun, options: MakeRunOptions): Promise<void> {
  const { folder, definition, metadata, again, progress } = options;
  const { exitCode } = process;
  const parts = new RunParts(folder);
  const goesOn = plan.checkpoint !== undefined && !again && parts.isOf(definition) && parts.recordedSteps().length > 0;
  const begun = await plan.steps(seed);
  const steps = goesOn ? await goOn(parts, begun) : begun;
  const directory = goesOn ? parts.next : folder;
  const summary = await run(steps, branchesOf(plan), { directory, overwrite: true, metadata, progress });
  if (!goesOn) new RunParts(folder).removeStale();
  if (summary.state === 'finished') return;
  const errors = Object.values(summary.branches).flatMap(({ error }) => error ?? []);
  if (summary.state === 'diverged' && errors.length === 0) {
    // Divergence can be the finding.
    process.exitCode = exitCode;
    return;
  }
  const why = (summary.error ?? errors[0])?.message ?? 'it was stopped';
  throw new BrinkError(
    'makeFigure',
    `the run ${plan.name}, seed ${seed}, ${summary.state}: ${why} Its rows are in ${directory}.`,
  );
}

/** The steps behind those that are there, of the objective that the run itself would have. */
async function goOn(parts: RunParts, begun: Observable<Step>): Promise<Observable<Step>> {
  for (const folder of parts.folders) await recover(folder);
  const { objective } = (await firstValueFrom(begun)).run;
  return resume(parts.recording, objective ? { objective } : {});
}

function branchesOf({ branches, checkpoint }: SeededRun['plan']): Branches {
  if (checkpoint === undefined) return branches;
  return { ...branches, [CHECKPOINT]: (steps) => steps.pipe(record(undefined, { every: checkpoint.every })) };
}
