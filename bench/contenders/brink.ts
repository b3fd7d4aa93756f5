// Hessian-vector products by brink, on the engine that BRINK_ENGINE names.
// Arguments: folder, problem, mode: 'anew' records the gradient for every product, 'kept' once. Reads a count a line,
// makes so many products, answers with the seconds and CPU seconds that they took.
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { arrays } from '../../src/datasets/arrays.ts';
import { openEngine } from '../../src/engine/openEngine.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { type ProblemName, problems } from '../problems.ts';

const [folder, problem, mode] = process.argv.slice(2);
const { model, examples } = problems[problem as ProblemName];

function floats(name: string): Float32Array {
  return new Float32Array(new Uint8Array(readFileSync(`${folder}/${name}.f32`)).buffer);
}

const data = arrays({ inputShape: model.inputShape, inputs: floats('inputs'), targets: floats('targets') });
const objective = await empiricalRisk({
  model,
  data,
  loss: crossEntropy,
  chunk: examples,
  keptBytes: mode === 'kept' ? 2 ** 32 : 0,
});
const point = objective.at(floats('weights'));
const v = floats('v');

const { name, device, version } = await openEngine();
const { product } = await point.hessianVector(v);
writeFileSync(`${folder}/product-${name}-${mode}.f32`, product);
console.log(JSON.stringify({ version: `${version} (${device})` }));

for await (const line of createInterface({ input: process.stdin })) {
  // A product with an array that was seen before would be remembered.
  const directions = Array.from({ length: Number(line) }, () => v.slice());
  // What is kept goes while the others take their turn.
  if (mode === 'kept') await point.hessianVector(v.slice());
  const start = performance.now();
  const cpuStart = process.cpuUsage();
  for (const direction of directions) await point.hessianVector(direction);
  const { user, system } = process.cpuUsage(cpuStart);
  console.log(JSON.stringify({ seconds: (performance.now() - start) / 1e3, cpuSeconds: (user + system) / 1e6 }));
}
