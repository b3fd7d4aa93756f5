/**
 * A process to be killed: `recordingProcess.ts KIND FOLDER [RECORDING]`.
 *
 * Trains into the folder, and prints the index of each step once it is recorded; with a recording it resumes from its
 * last step and goes on with it.
 */
import { realpathSync, writeSync } from 'node:fs';
import { type Observable, tap } from 'rxjs';
import type { Step } from '../../src/core/Step.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { record } from '../../src/recording/record.ts';
import { resume } from '../../src/recording/resume.ts';
import { run } from '../../src/runs/run.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';

/** Runs that are killed, by kind. */
export const KINDS = {
  GD: { learningRate: 0.05 },
  SGD: { learningRate: 0.01, batchSize: 7 },
  Polyak: { learningRate: 0.01, beta1: 0.6 },
  Nesterov: { learningRate: 0.01, batchSize: 7, beta1: 0.6, beta2: 0.6 },
} as const;
export type Kind = keyof typeof KINDS;

export const objective = regression(40, 60);

/** The run of a kind. */
export const source = (kind: Kind): Observable<Step> =>
  gradientDescent(objective, { seed: 4, steps: 900, ...KINDS[kind] });

/** What it writes into its folder; resumed it goes on with the recording that it resumes. */
export const branches = {
  loss: (s: Observable<Step>) => s.pipe(trainingLoss(), toParquet()),
  recording: (s: Observable<Step>) => s.pipe(record()),
};

if (realpathSync(process.argv[1]!) === import.meta.filename) {
  const [kind, directory, recording] = process.argv.slice(2) as [Kind, string, string?];
  const told = tap((step: Step) => writeSync(1, `${step.index}\n`));
  await run(
    recording === undefined ? source(kind) : resume(recording),
    { ...branches, recording: (s) => branches.recording(s).pipe(told) },
    { directory, progress: false },
  );
}
