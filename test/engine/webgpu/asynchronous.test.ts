import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { digits } from '../../../src/datasets/digits.ts';
import { openEngine } from '../../../src/engine/openEngine.ts';
import { empiricalRisk } from '../../../src/engine/risk/empiricalRisk.ts';
import { crossEntropy } from '../../../src/losses/crossEntropy.ts';
import { layersModel } from '../../../src/models/layersModel.ts';
import { mlp } from '../../../src/models/mlp.ts';
import { gradientConcentration } from '../../../src/probes/gradientConcentration.ts';
import { hessianTrace } from '../../../src/probes/hessianTrace.ts';
import { interactionAwareSharpness } from '../../../src/probes/interactionAwareSharpness.ts';
import { lossSlice } from '../../../src/probes/lossSlice.ts';
import { topEigenvalues } from '../../../src/probes/topEigenvalues.ts';
import { trainingLoss } from '../../../src/probes/trainingLoss.ts';
import { loadWeights } from '../../../src/recording/loadWeights.ts';
import { run } from '../../../src/runs/run.ts';
import { toParquet } from '../../../src/tables/toParquet.ts';
import { gradientDescent } from '../../../src/training/gradientDescent.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'brink-webgpu-'));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true });
});

it('reads no tensor synchronously, from the first trial of a network to the last row of its tables', async () => {
  await openEngine('webgpu');
  // Not even what the host has: whether it does depends on what was read before.
  const refuse = (): never => {
    throw new Error('read synchronously');
  };
  const read = vi.spyOn(tf.backend(), 'readSync').mockImplementation(refuse);
  const dataSync = vi.spyOn(tf.Tensor.prototype, 'dataSync').mockImplementation(refuse);
  expect(() => tf.tidy(() => tf.tensor1d([1, 2]).arraySync())).toThrow('read synchronously');
  dataSync.mockClear();

  const objective = await empiricalRisk({
    model: mlp({ inputs: 64, hidden: [6], outputs: 10, activation: 'tanh' }),
    data: await digits({ train: 20, test: 10 }),
    loss: crossEntropy,
    chunk: 12,
  });
  const steps = gradientDescent(objective, { learningRate: 0.3, steps: 1, batchSize: 8, seed: 1 });
  const { rows } = await run(
    steps,
    {
      loss: (s) => s.pipe(trainingLoss(), toParquet()),
      eigenvalues: (s) => s.pipe(topEigenvalues({ count: 2, smallest: 1 }), toParquet()),
      sharpness: (s) => s.pipe(interactionAwareSharpness({ batchSizes: [4], draws: 4 }), toParquet()),
      slices: (s) => s.pipe(lossSlice({ alphas: [0.5], directional: [0.1] }), toParquet()),
      traces: (s) => s.pipe(hessianTrace({ draws: 4 }), toParquet()),
      concentration: (s) => s.pipe(gradientConcentration({ batchSizes: [1, 4] }), toParquet()),
    },
    { directory, progress: false },
  );
  expect((await rows('loss')).map(({ step }) => step)).toEqual([0, 1]);
  for (const name of ['eigenvalues', 'sharpness', 'slices', 'traces', 'concentration'] as const) {
    expect(new Set((await rows(name)).map(({ step }) => step)), name).toEqual(new Set([0, 1]));
  }
  const norms = await objective.at(objective.initialWeights(0)).exampleNormsSquared();
  expect(Array.from(norms).every((square) => square > 0)).toBe(true);
  expect(read).not.toHaveBeenCalled();
  expect(dataSync).not.toHaveBeenCalled();
});

it('says what to await where the weights of a network lie on the GPU, and takes them then', async () => {
  await openEngine('webgpu');
  const layers = [tf.layers.dense({ inputShape: [3], units: 2 })];
  const net = tf.sequential({ name: 'mine', layers });
  // What the host gave is there no more once it is uploaded.
  tf.dispose(net.predict(tf.ones([2, 3])));
  const advice = 'GPU, await them first: await Promise.all(net.getWeights().map((weight) => weight.data())).';
  const model = {
    name: 'm',
    parameters: [
      { name: 'w', shape: [3, 2] },
      { name: 'b', shape: [2] },
    ],
  } as never;
  expect(() => layersModel(net)).toThrow(
    /^layersModel: the weights of mine can't be read \(webgpu: a tensor is read by dataSync/,
  );
  expect(() => layersModel(net)).toThrow(advice);
  expect(() => loadWeights(net, model)).toThrow(/^loadWeights: the weights of the network can't be read \(/);
  const values = await Promise.all(net.getWeights().map((weight) => weight.data()));
  const given = layersModel(net).parameters.map(({ initializer }) => (initializer as { values: Float32Array }).values);
  expect(given).toEqual(values);
  expect([...loadWeights(net, model)]).toEqual(values.flatMap((array) => [...array]));
  net.dispose();
});
