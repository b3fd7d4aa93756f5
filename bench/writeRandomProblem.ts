import { initialWeights, paramCount } from '../src/engine/Model.ts';
import { generator, normals } from '../src/linalg/random.ts';
import { type ProblemName, problems } from './problems.ts';
import { writeProblem } from './writeProblem.ts';

/** Weights, data and direction of a problem, drawn at random, as files that every contender reads. */
export function writeRandomProblem(folder: string, name: ProblemName): void {
  const { model, examples } = problems[name];
  const size = model.inputShape.reduce((a, b) => a * b, 1);
  const targets = new Float32Array(examples * model.outputCount);
  for (let i = 0; i < examples; i++) targets[i * model.outputCount + (i % model.outputCount)] = 1;
  writeProblem(folder, model, {
    weights: initialWeights(model, 0),
    inputs: Float32Array.from(normals(generator(1), examples * size)),
    targets,
    v: Float32Array.from(normals(generator(2), paramCount(model))),
  });
}
