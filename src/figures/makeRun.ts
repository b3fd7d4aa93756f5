import { firstValueFrom, type Observable } from 'rxjs';
import { BrinkError } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import type { Step } from '../core/Step.ts';
import { record } from '../recording/record.ts';
import { resume } from '../recording/resume.ts';
import { tablesOf } from '../recording/tablesOf.ts';
import type { Branches } from '../runs/branches.ts';
import { RunParts } from '../runs/RunParts.ts';
import { recover } from '../runs/recover.ts';
import { run } from '../runs/run.ts';
import { CHECKPOINT, type SeededRun } from './figure.ts';

const WHO = 'makeFigure';

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
  const parts = new RunParts(folder, CHECKPOINT);
  const goesOn = plan.checkpoint !== undefined && !again && parts.goesOnFrom(definition) !== null;
  const begun = await plan.steps(seed);
  const steps = goesOn ? await goOn(`the run ${plan.name}, seed ${seed},`, parts, begun) : begun;
  const directory = goesOn ? parts.next : folder;
  const summary = await run(steps, branchesOf(plan), { directory, overwrite: true, metadata, progress });
  if (!goesOn) new RunParts(folder, CHECKPOINT).removeStale();
  if (summary.state === 'finished') return;
  const errors = Object.values(summary.branches).flatMap(({ error }) => error ?? []);
  if (summary.state === 'diverged' && errors.length === 0) {
    // Divergence can be the finding.
    process.exitCode = exitCode;
    return;
  }
  const why = (summary.error ?? errors[0])?.message ?? 'it was stopped';
  throw new BrinkError(
    WHO,
    `the run ${plan.name}, seed ${seed}, ${summary.state}: ${why} Its rows are in ${directory}.`,
  );
}

/**
 * The steps behind those that are there, of the objective that the run itself would have.
 *
 * @throws BrinkError as a rejection where rows would be missing, or there twice.
 */
async function goOn(what: string, parts: RunParts, begun: Observable<Step>): Promise<Observable<Step>> {
  const refused = (why: string) =>
    new BrinkError(WHO, `${what} can't go on: ${why} Mend it, or pass again: true (--again) to make it anew.`);
  for (const folder of parts.folders) {
    for (const { path, problem, leftTo } of await recover(folder)) {
      if (problem !== null) throw refused(`${path} can't be finished: ${problem}`);
      if (leftTo !== null) throw refused(`${path} is being finished by process ${leftTo}.`);
    }
  }
  const { withoutStep = [] } = (await tablesOf(WHO, parts.recording)) ?? {};
  if (withoutStep.length > 0) {
    throw refused(`the key of ${withoutStep.join(', ')} names no step, so that it is not known which rows it lacks.`);
  }
  const { index, run } = await firstValueFrom(begun);
  const [recorded] = parts.recordedSteps();
  if (recorded !== index) {
    throw refused(
      `its recording begins with step ${recorded}, and its steps with ${index}, which 'every' must divide.`,
    );
  }
  return resume(parts.recording, run.objective ? { objective: run.objective } : {});
}

function branchesOf({ branches, checkpoint }: SeededRun['plan']): Branches {
  if (checkpoint === undefined) return branches;
  return { ...branches, [CHECKPOINT]: (steps) => steps.pipe(record(undefined, { every: checkpoint.every })) };
}
