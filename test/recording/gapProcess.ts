/**
 * A process to be killed: `gapProcess.ts FOLDER EVERY [RECORDING]`.
 *
 * Measures into several tables at several rates, and records every so many steps; with a recording it resumes. Prints
 * the index of each step.
 */
import { realpathSync, writeSync } from 'node:fs';
import { type Observable, tap } from 'rxjs';
import type { Step } from '../../src/core/Step.ts';
import { throttleSteps } from '../../src/operators/throttleSteps.ts';
import { expectedLossChange } from '../../src/probes/expectedLossChange.ts';
import { gradientConcentration } from '../../src/probes/gradientConcentration.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { record } from '../../src/recording/record.ts';
import { resume } from '../../src/recording/resume.ts';
import type { Branches } from '../../src/runs/branches.ts';
import { run } from '../../src/runs/run.ts';
import { toArrow } from '../../src/tables/toArrow.ts';
import { toCsv } from '../../src/tables/toCsv.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { toTensorBoard } from '../../src/tables/toTensorBoard.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';

export const objective = regression(20, 12);

export const source = (): Observable<Step> =>
  gradientDescent(objective, { seed: 4, steps: 700, learningRate: 0.01, batchSize: 7, beta1: 0.6, beta2: 0.6 });

/** The branches of the run, and of those that go on with it. */
export const branches = (every: number): Branches => ({
  loss: (s) => s.pipe(trainingLoss(), toParquet()),
  // Several rows a step.
  concentration: (s) => s.pipe(throttleSteps(3), gradientConcentration({ batchSizes: [1, 2, 5, 12] }), toParquet()),
  change: (s) =>
    s.pipe(throttleSteps(2, 1), expectedLossChange({ batchSizes: [3] }), toArrow({ path: 'within/change.arrows' })),
  // Two numbers name a row; three sinks, of which each may have come to another step.
  both: (s) =>
    s.pipe(
      throttleSteps(4),
      expectedLossChange({ batchSizes: [3, 5] }),
      toTensorBoard(),
      toCsv({ path: 'csv/both.csv' }),
      toParquet(),
    ),
  text: (s) => s.pipe(throttleSteps(5), gradientConcentration({ batchSizes: [2, 5] }), toCsv()),
  rare: (s) => s.pipe(throttleSteps(60), trainingLoss(), toParquet()),
  recording: (s) => s.pipe(record(undefined, { every })),
});

if (realpathSync(process.argv[1]!) === import.meta.filename) {
  const [directory, every, recording] = process.argv.slice(2) as [string, string, string?];
  const { recording: recorded, ...tables } = branches(Number(every));
  const told = tap((step: Step) => writeSync(1, `${step.index}\n`));
  await run(
    recording === undefined ? source() : resume(recording),
    { ...tables, recording: (s) => recorded!(s.pipe(told)) },
    { directory, progress: false },
  );
}
