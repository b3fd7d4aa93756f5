/**
 * A process to be killed: `recordingProcess.ts KIND FOLDER [RECORDING]`.
 *
 * Trains into the folder, and prints the index of each step once it is recorded; with a recording it resumes from its last step and
 * goes on with it.
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { tap } from 'rxjs';
import type { StepSource } from '../../src/core/StepSource.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { record } from '../../src/recording/record.ts';
import { type Branch, run } from '../../src/runs/run.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { type GradientDescentOptions, gradientDescent } from '../../src/training/gradientDescent.ts';
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

/** The run of a kind, from its beginning or resumed. */
export function source(kind: Kind, resume?: GradientDescentOptions['resume']): StepSource {
  return gradientDescent(objective, { seed: 4, steps: 600, ...KINDS[kind], ...(resume !== undefined && { resume }) });
}

/** What it writes into its folder. */
export const branches = (recording: string, append: boolean): Record<string, Branch> => ({
  loss: (s) => s.pipe(trainingLoss(objective), toParquet(trainingLoss.table)),
  recording: (s) => s.pipe(record(recording, { append })),
});

if (process.argv[1] === import.meta.filename) {
  const [kind, directory, recording] = process.argv.slice(2) as [Kind, string, string?];
  const path = recording ?? join(directory, 'recording.arrows');
  const told = branches(path, recording !== undefined);
  const { recording: record } = told;
  await run(
    source(kind, recording),
    {
      ...told,
      recording: (s) => record!(s).pipe(tap((step) => writeSync(1, `${(step as { index: number }).index}\n`))),
    },
    { directory, progress: false },
  );
}
