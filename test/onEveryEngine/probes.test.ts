import { setImmediate as nextTurn } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Objective } from '../../src/core/Objective.ts';
import { arrays } from '../../src/datasets/arrays.ts';
import { type EngineName, openEngine } from '../../src/engine/openEngine.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { mlp } from '../../src/models/mlp.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { asked, everyProbe } from '../helpers/everyProbe.ts';

const n = 10;
let objective: Objective;
beforeAll(async () => {
  await openEngine((process.env.BRINK_ENGINE ?? 'wasm') as EngineName);
  const inputs = normals(generator(4), 4 * n);
  const labels = Array.from({ length: n }, (_, i) => i % 3);
  objective = await empiricalRisk({
    model: mlp({ inputs: 4, hidden: [6], outputs: 3, activation: 'tanh' }),
    data: arrays({ inputShape: [4], inputs, labels, classes: 3 }),
    loss: crossEntropy,
    chunk: 7,
  });
});

describe.each(everyProbe)('%s on a network', (_, probe) => {
  it('gives all of its tensors back, also where it is unsubscribed at work', async () => {
    // What is kept for products to come is gone after a turn of the event loop.
    await nextTurn();
    const before = tf.memory().numTensors;
    const steps = gradientDescent(objective, { learningRate: 0.1, steps: 2, batchSize: 4 });
    const rows = steps.pipe(asked(probe));
    expect((await lastValueFrom(rows.pipe(toArray()))).length).toBeGreaterThanOrEqual(3);
    await nextTurn();
    expect(tf.memory().numTensors).toBe(before);
    await firstValueFrom(rows);
    const unfinished = rows.subscribe();
    await nextTurn();
    unfinished.unsubscribe();
    for (let k = 0; k < 20; k++) await nextTurn();
    expect(tf.memory().numTensors).toBe(before);
  });
});
