import type { Observable } from 'rxjs';
import { probes as allProbes } from '../catalogue/probes.ts';
import type { JsonObject } from '../core/Json.ts';
import type { Step } from '../core/Step.ts';
import { loadWeights, weightTypes } from '../recording/loadWeights.ts';
import { record } from '../recording/record.ts';
import { gradientDescent } from '../training/gradientDescent.ts';
import { asWritten } from './asWritten.ts';
import type { Branch, Branches } from './branches.ts';
import { CommandLineError } from './CommandLineError.ts';
import { objectiveFrom } from './objectiveFrom.ts';
import { probeBranches } from './probeBranches.ts';
import { requireNoRun } from './requireNoRun.ts';
import { type RunSummary, run } from './run.ts';
import { type Specification, trainingOf } from './specification.ts';

const WHO = 'run';

/**
 * Puts a pipeline together and runs it: each probe in a branch of its own, with a table.
 *
 * @throws CommandLineError where an option is out of its range, BrinkError where data can't be read, the engine
 *   doesn't open or the folder holds a run that is not to be replaced.
 */
export async function runPipeline(
  spec: Specification,
  { force, watch = false }: { readonly force: boolean; readonly watch?: boolean },
): Promise<RunSummary> {
  const directory = requireNoRun(WHO, spec.directory, force);
  const { steps, branches, metadata } = await preparePipeline(spec);
  return asWritten(
    () => run(steps, branches, { directory, overwrite: force, watch, signals: 'stop', metadata }),
    Object.keys(allProbes),
  );
}

/** What a run is made of. */
export interface PreparedRun {
  readonly steps: Observable<Step>;
  readonly branches: Branches;
  /** What it says of itself. */
  readonly metadata: JsonObject;
}

/**
 * Puts a pipeline together; nothing runs.
 *
 * @throws CommandLineError where an option is out of its range, BrinkError where data can't be read or the engine
 *   doesn't open.
 */
export async function preparePipeline(spec: Specification): Promise<PreparedRun> {
  const objective = await objectiveFrom(WHO, spec);
  const { probes, every, sinks, record: isRecorded, initialWeights: file, initialStep: step } = spec;
  if (step !== undefined && file === undefined) {
    throw new CommandLineError(WHO, `initialStep is ${step}, and initialWeights names no recording. Name one.`);
  }
  const initialWeights = file && loadWeights(file, objective, { ...(step !== undefined && { step }) });
  const steps = asWritten(() =>
    gradientDescent(objective, { ...trainingOf(spec), ...(initialWeights && { initialWeights }) }),
  );
  const branches = asWritten(() => probeBranches(probes, every, sinks, spec.replacement));
  const recording: Record<string, Branch> = isRecorded ? { recording: (s) => s.pipe(record()) } : {};
  const stored = file === undefined ? [] : weightTypes(file);
  const metadata = {
    pipeline: spec as unknown as JsonObject,
    ...(stored.length > 0 && { initialWeights: { storedAs: stored } }),
  };
  return { steps, branches: { ...branches, ...recording }, metadata };
}
