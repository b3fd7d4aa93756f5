import { setImmediate as nextTurn } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs';
import { expect, it, vi } from 'vitest';
import { digits } from '../../../src/datasets/digits.ts';
import { empiricalRisk } from '../../../src/engine/risk/empiricalRisk.ts';
import { crossEntropy } from '../../../src/losses/crossEntropy.ts';
import { mlp } from '../../../src/models/mlp.ts';

it('uploads a chunk once for products that follow one another, and gives its memory back', async () => {
  const model = mlp({ inputs: 64, hidden: [5], outputs: 10, activation: 'tanh' });
  const objective = await empiricalRisk({ model, data: await digits({ train: 30 }), loss: crossEntropy, chunk: 12 });
  await nextTurn();
  const before = tf.memory().numTensors;
  const tensor = vi.spyOn(tf.engine(), 'makeTensor');
  const uploads = () => tensor.mock.calls.filter(([, shape]) => `${shape}` === '12,64' || `${shape}` === '6,64').length;
  const weights = objective.initialWeights(0);
  const first = await objective.at(weights).gradient();
  const v = Float32Array.from(weights, (_, k) => Math.cos(k));
  await objective.at(weights.map((w) => 2 * w)).hessianVector(v);
  const again = await objective.at(weights.slice()).gradient();
  expect(uploads()).toBe(3);
  expect(again).toEqual(first);
  await nextTurn();
  await nextTurn();
  expect(tf.memory().numTensors).toBe(before);
  await objective.at(weights.slice()).loss();
  expect(uploads()).toBe(6);
  tensor.mockRestore();
});
