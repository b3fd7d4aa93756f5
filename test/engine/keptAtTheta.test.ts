import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { arrays } from '../../src/datasets/arrays.ts';
import { recordGradientTape } from '../../src/engine/gradientTape.ts';
import { type EngineName, openEngine } from '../../src/engine/openEngine.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { cnn } from '../../src/models/cnn.ts';
import { scoped } from '../helpers/scoped.ts';

beforeAll(async () => {
  await openEngine((process.env.BRINK_ENGINE ?? 'wasm') as EngineName);
});

// What the test before has kept is gone.
beforeEach(() => nextTurn());

const numbers = (size: number, seed: number) => Float32Array.from({ length: size }, (_, k) => Math.sin(k + seed) / 2);
const N = 10;
const data = arrays({
  inputShape: [8, 8, 1],
  inputs: numbers(64 * N, 1),
  labels: Array.from({ length: N }, (_, i) => i % 3),
  classes: 3,
});
const network = cnn({ inputShape: [8, 8, 1], outputs: 3, channels: [2, 3], pooling: ['max', 'average'] });
const chunks = 3;

/** An objective in three chunks that counts the forward passes of its model; a graph would call it when recorded. */
async function counted(keptBytes?: number, graphs = false) {
  const calls = { forward: 0 };
  const model: typeof network = {
    ...network,
    forward: (theta, x) => {
      calls.forward++;
      return network.forward(theta, x);
    },
  };
  const objective = await empiricalRisk({
    model,
    data,
    loss: crossEntropy,
    chunk: 4,
    graphs,
    ...(keptBytes !== undefined && { keptBytes }),
  });
  calls.forward = 0;
  return { objective, calls };
}
const directions = (m: number) => [1, 2, 3].map((seed) => numbers(m, seed));

describe('the recorded gradient of a chunk', () => {
  it.each([
    ['everything', undefined, chunks],
    ['nothing', 0, 3 * chunks],
  ])('serves all products at one θ where %s is kept', async (_name, keptBytes, forwards) => {
    const { objective, calls } = await counted(keptBytes);
    const point = objective.at(objective.initialWeights(1));
    for (const v of directions(objective.paramCount)) await point.hessianVector(v);
    expect(calls.forward).toBe(forwards);
  });

  it('is kept for the first chunks that fit', async () => {
    const forwards: number[] = [];
    for (let keptBytes = 0; keptBytes <= 60_000; keptBytes += 2_000) {
      const { objective, calls } = await counted(keptBytes);
      const point = objective.at(objective.initialWeights(1));
      for (const v of directions(objective.paramCount)) await point.hessianVector(v);
      forwards.push(calls.forward);
    }
    // Each chunk that is kept saves two forward passes of nine.
    expect(forwards).toEqual(forwards.toSorted((a, b) => b - a));
    expect([...new Set(forwards)]).toEqual([9, 7, 5, 3]);
  });

  it.each([
    ['operation by operation', false],
    ['as graphs', true],
  ])('changes no bit of a product, %s', async (_name, graphs) => {
    const products = async (keptBytes: number) => {
      const { objective } = await counted(keptBytes, graphs);
      const point = objective.at(objective.initialWeights(1));
      const results = [];
      for (const v of directions(objective.paramCount)) results.push(await point.hessianVector(v));
      return results;
    };
    expect(await products(2 ** 30)).toEqual(await products(0));
  });

  it('is of the θ that is asked about, also when other passes come between', async () => {
    const { objective, calls } = await counted();
    const [a, b] = [objective.initialWeights(1), objective.initialWeights(2)];
    const [v, w] = directions(objective.paramCount);
    const first = await objective.at(a).hessianVector(v!);
    const other = await objective.at(b).hessianVector(v!);
    expect(other).not.toEqual(first);
    expect(calls.forward).toBe(2 * chunks);
    await objective.at(b).gradient();
    expect(calls.forward).toBe(3 * chunks);
    await objective.at(b).hessianVector(w!);
    expect(calls.forward).toBe(3 * chunks);
    const { objective: anew } = await counted();
    expect(await objective.at(a.slice()).hessianVector(v!)).toEqual(await anew.at(a).hessianVector(v!));
  });

  it('is gone when nothing has been asked for within a turn of the event loop', async () => {
    const before = tf.memory().numTensors;
    const { objective } = await counted();
    const point = objective.at(objective.initialWeights(1));
    const [v, w] = directions(objective.paramCount);
    await point.hessianVector(v!);
    expect(tf.memory().numTensors).toBeGreaterThan(before);
    await nextTurn();
    expect(tf.memory().numTensors).toBe(before);
    await point.hessianVector(w!);
    await nextTurn();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('recordGradientTape', () => {
  const read = (ts: readonly Tensor[]) => Promise.all(ts.map(async (t) => [...(await t.data())]));

  it('is differentiated again and again, leaves the dys alone, and gives zeros where nothing depends on an x', async () => {
    await scoped(async () => {
      const [x, y, z] = [tf.tensor1d([1, 2]), tf.tensor1d([3, 5]), tf.tensor1d([7, 7])];
      const tape = recordGradientTape(() => [tf.mul(x, y), tf.square(x)], [x, y, z]);
      for (const c of [1, 10]) {
        const dys = [tf.tensor1d([c, c]), tf.tensor1d([0, c])];
        // x·y and x²: ∂/∂x = c y + (0, c)·2x, ∂/∂y = c x.
        expect(await read(tape.backward(dys))).toEqual([
          [3 * c, 5 * c + 4 * c],
          [c, 2 * c],
          [0, 0],
        ]);
        expect(await read(dys)).toEqual([
          [c, c],
          [0, c],
        ]);
      }
      tape.dispose();
    });
  });

  it('hands out no tensor of the caller, where y is x itself', async () => {
    await scoped(async () => {
      const x = tf.tensor1d([1, 2]);
      const tape = recordGradientTape(() => [tf.add(x, 0), tf.add(x, 0)], [x]);
      const dy = tf.tensor1d([4, 6]);
      const [dx] = tape.backward([dy, dy]);
      expect(await read([dx!])).toEqual([[8, 12]]);
      dx!.dispose();
      expect(await read([dy])).toEqual([[4, 6]]);
      const identity = recordGradientTape(() => [x], [x]);
      const [own] = identity.backward([dy]);
      expect(own).not.toBe(dy);
      expect(await read([own!])).toEqual([[4, 6]]);
      tape.dispose();
      identity.dispose();
    });
  });

  it('gives its memory back', () => {
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      const x = tf.tensor1d([1, 2]);
      const tape = recordGradientTape(() => [tf.tanh(tf.mul(x, x))], [x]);
      expect(tape.bytes).toBeGreaterThan(0);
      tape.backward([tf.ones([2])]);
      tape.dispose();
    });
    expect(tf.memory().numTensors).toBe(before);
  });
});
