// Steps of SGD by brink, without probes, on the engine that BRINK_ENGINE names.
// Arguments: folder, problem. Each request trains from the same weights; the batches are those that brink draws itself.
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { lastValueFrom } from 'rxjs';
import { arrays } from '../../src/datasets/arrays.ts';
import { openEngine } from '../../src/engine/openEngine.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { type ProblemName, problems } from '../problems.ts';

const [folder, problem] = process.argv.slice(2);
const { model } = problems[problem as ProblemName];
const floats = (name: string) => new Float32Array(new Uint8Array(readFileSync(`${folder}/${name}.f32`)).buffer);
const { steps, batchSize, seed } = JSON.parse(readFileSync(`${folder}/batches.json`, 'utf8'));

const data = arrays({ inputShape: model.inputShape, inputs: floats('inputs'), targets: floats('targets') });
const objective = await empiricalRisk({ model, data, loss: crossEntropy });
const initialWeights = floats('weights');
const { device, version } = await openEngine();
console.log(JSON.stringify({ version: `${version} (${device})` }));

for await (const line of createInterface({ input: process.stdin })) {
  const { learningRate, file } = JSON.parse(line);
  const start = performance.now();
  const cpuStart = process.cpuUsage();
  // The last step has its gradient too: one more than the others compute.
  const last = await lastValueFrom(
    gradientDescent(objective, { learningRate, steps, batchSize, seed, initialWeights }),
  );
  const { user, system } = process.cpuUsage(cpuStart);
  const timing = { seconds: (performance.now() - start) / 1e3, cpuSeconds: (user + system) / 1e6 };
  writeFileSync(`${folder}/${file}`, Float64Array.from(last.weights));
  console.log(JSON.stringify(timing));
}
