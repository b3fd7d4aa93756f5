// Eigenpairs, trace and spectral density by brink, on the engine that BRINK_ENGINE names.
// Arguments: folder, problem. Reads a request a line, as JSON, and answers with what it took; eigenvectors go to the
// file that the request names.
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { lastValueFrom, toArray } from 'rxjs';
import { arrays } from '../../src/datasets/arrays.ts';
import { openEngine } from '../../src/engine/openEngine.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { hessianEigenpairs } from '../../src/estimators/hessianEigenpairs.ts';
import type { Eigenpairs } from '../../src/linalg/eigenpairs.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { hessianTrace } from '../../src/probes/hessianTrace.ts';
import { spectralDensity } from '../../src/probes/spectralDensity.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { type ProblemName, problems } from '../problems.ts';

const [folder, problem] = process.argv.slice(2);
const { model, examples } = problems[problem as ProblemName];

const floats = (name: string) => new Float32Array(new Uint8Array(readFileSync(`${folder}/${name}.f32`)).buffer);
const data = arrays({ inputShape: model.inputShape, inputs: floats('inputs'), targets: floats('targets') });
const objective = await empiricalRisk({ model, data, loss: crossEntropy, chunk: examples });

/** What was found at the step before, by label. */
const before = new Map<string, Eigenpairs>();

/** The result, with the seconds, CPU seconds and products that it took. */
async function measured<T>(compute: () => Promise<T>) {
  const { products } = objective.cost;
  const [start, cpuStart] = [performance.now(), process.cpuUsage()];
  const result = await compute();
  const { user, system } = process.cpuUsage(cpuStart);
  const cost = {
    seconds: (performance.now() - start) / 1e3,
    cpuSeconds: (user + system) / 1e6,
    products: objective.cost.products - products,
  };
  return { result, cost };
}

/** The step at θ alone. */
const stepAt = (theta: string) =>
  gradientDescent(objective, { learningRate: 1, steps: 0, initialWeights: floats(theta) });

interface EigenpairsRequest {
  readonly what: 'eigenpairs';
  readonly theta: string;
  readonly seed: number;
  readonly count: number;
  readonly tolerance: number;
  /** Whether the search begins from what it found under this label before. */
  readonly warm: boolean;
  readonly label: string;
  readonly file: string;
}

async function eigenpairs({ theta, seed, count, tolerance, warm, label, file }: EigenpairsRequest) {
  const weights = floats(theta);
  const settings = { who: 'peers', count, tolerance, seed };
  const previous = warm ? before.get(label)! : null;
  const { result, cost } = await measured(() => hessianEigenpairs(objective.at(weights), settings, previous));
  before.set(label, result);
  writeFileSync(
    `${folder}/${file}.f32`,
    Buffer.concat(result.pairs.map(({ vector }) => new Uint8Array(vector.buffer))),
  );
  return { ...cost, values: result.pairs.map(({ value }) => value) };
}

interface TraceRequest {
  readonly what: 'trace';
  readonly theta: string;
  readonly seed: number;
  readonly draws: number;
  readonly deflate: number;
}

async function trace({ theta, seed, draws, deflate }: TraceRequest) {
  const steps = stepAt(theta);
  const { result, cost } = await measured(() => lastValueFrom(steps.pipe(hessianTrace({ draws, deflate, seed }))));
  return { ...cost, estimate: result.trace_H, standardError: result.trace_H_standard_error };
}

interface DensityRequest {
  readonly what: 'density';
  readonly theta: string;
  readonly seed: number;
  readonly draws: number;
  readonly steps: number;
}

async function density({ theta, seed, draws, steps }: DensityRequest) {
  const source = stepAt(theta);
  const { result, cost } = await measured(() =>
    lastValueFrom(source.pipe(spectralDensity({ draws, steps, seed }), toArray())),
  );
  const { eigenvalue, width } = result.at(-1)!;
  return { ...cost, largest: eigenvalue - 3 * width };
}

function answer(request: EigenpairsRequest | TraceRequest | DensityRequest) {
  if (request.what === 'eigenpairs') return eigenpairs(request);
  return request.what === 'trace' ? trace(request) : density(request);
}

const { version, device } = await openEngine();
console.log(JSON.stringify({ version: `${version} (${device})` }));
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line))));
}
