import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Model } from '../src/engine/Model.ts';

/** What every contender reads of a problem: shapes, examples, and whatever vectors of parameters go with them. */
export interface ProblemFiles {
  readonly inputs: Float32Array;
  readonly targets: Float32Array;
  readonly [vector: string]: Float32Array;
}

/** Writes a problem into its folder. */
export function writeProblem(
  folder: string,
  { inputShape, outputCount, parameters }: Model,
  files: ProblemFiles,
): void {
  for (const [file, values] of Object.entries(files)) writeFileSync(join(folder, `${file}.f32`), values);
  const examples = files.targets.length / outputCount;
  const parameterShapes = parameters.map(({ shape }) => shape);
  writeFileSync(join(folder, 'problem.json'), JSON.stringify({ examples, inputShape, parameterShapes }));
}
