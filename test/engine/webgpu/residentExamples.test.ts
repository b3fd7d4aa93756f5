import { setImmediate as nextTurn } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs';
import { lastValueFrom, toArray } from 'rxjs';
import { afterEach, beforeAll, expect, it, vi } from 'vitest';
import type { Objective } from '../../../src/core/Objective.ts';
import { digits } from '../../../src/datasets/digits.ts';
import type { WebGpuBackend } from '../../../src/engine/kernels/webgpu/WebGpuBackend.ts';
import { empiricalRisk } from '../../../src/engine/risk/empiricalRisk.ts';
import { crossEntropy } from '../../../src/losses/crossEntropy.ts';
import { mlp } from '../../../src/models/mlp.ts';
import { topEigenvalues } from '../../../src/probes/topEigenvalues.ts';
import { gradientDescent } from '../../../src/training/gradientDescent.ts';

const n = 30;
/** What the examples of all chunks take, in bytes. */
const EXAMPLES = 4 * n * (64 + 10);

let objective: Objective;
beforeAll(async () => {
  const model = mlp({ inputs: 64, hidden: [5], outputs: 10, activation: 'tanh' });
  objective = await empiricalRisk({ model, data: await digits({ train: n }), loss: crossEntropy, chunk: 12 });
});
afterEach(() => vi.restoreAllMocks());

/**
 * Notes what goes from the host to the device: of examples, and of all else but the numbers that programs are given.
 */
function watchUploads() {
  const backend = tf.backend() as unknown as WebGpuBackend;
  const { uploadToGPU } = backend;
  let [examples, others] = [0, 0];
  vi.spyOn(backend, 'uploadToGPU').mockImplementation((dataId) => {
    const { resource, values, shape } = backend.tensorMap.get(dataId);
    if (resource == null && values != null) {
      const bytes = 4 * tf.util.sizeFromShape([...shape]);
      if (['12,64', '6,64', '12,10', '6,10'].includes(`${shape}`)) examples += bytes;
      else others += bytes;
    }
    uploadToGPU.call(backend, dataId);
  });
  return () => {
    const seen = { examples, others };
    [examples, others] = [0, 0];
    return seen;
  };
}

it('uploads the examples once for products at one θ, of which the second and further ones upload v alone', async () => {
  await nextTurn();
  await nextTurn();
  const uploads = watchUploads();
  const weights = objective.initialWeights(0);
  const point = objective.at(weights);
  const v = (k: number) => Float32Array.from(weights, (_, j) => Math.cos(j + k));
  await point.hessianVector(v(0));
  expect(uploads().examples).toBe(EXAMPLES);
  for (const k of [1, 2, 3]) {
    await point.hessianVector(v(k));
    const { examples, others } = uploads();
    expect(examples).toBe(0);
    expect(others).toBeGreaterThanOrEqual(4 * objective.paramCount);
    // Beside v some numbers of the derivatives.
    expect(others).toBeLessThan(4 * objective.paramCount + 64);
  }
});

it('uploads the examples once for passes of all kinds that follow one another, and gives their memory back', async () => {
  await nextTurn();
  await nextTurn();
  const before = tf.memory().numTensors;
  const uploads = watchUploads();
  const weights = objective.initialWeights(0);
  const first = await objective.at(weights).gradient();
  await objective.at(weights.map((w) => 2 * w)).hessianVector(weights);
  await objective.at(weights.slice()).exampleNormsSquared();
  await objective.at(weights.slice()).weightedGradient(new Float64Array(n).fill(1));
  const again = await objective.at(weights.slice()).gradient();
  expect(uploads().examples).toBe(EXAMPLES);
  expect(again).toEqual(first);
  await nextTurn();
  await nextTurn();
  expect(tf.memory().numTensors).toBe(before);
  await objective.at(weights.slice()).loss();
  expect(uploads().examples).toBe(EXAMPLES);
});

it('uploads the examples once a step for all the products of an eigenvalue search', async () => {
  const uploads = watchUploads();
  const steps = gradientDescent(objective, { learningRate: 0.1, steps: 2 });
  const rows = await lastValueFrom(steps.pipe(topEigenvalues({ count: 2, tolerance: 1e-3 }), toArray()));
  expect(rows.every(({ products }) => products >= 2)).toBe(true);
  expect(uploads().examples).toBeLessThanOrEqual(rows.length * EXAMPLES);
});
