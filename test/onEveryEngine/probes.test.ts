import { setImmediate as nextTurn } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs';
import { concatMap, firstValueFrom, lastValueFrom, of, toArray } from 'rxjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Objective } from '../../src/core/Objective.ts';
import { arrays } from '../../src/datasets/arrays.ts';
import { type EngineName, openEngine } from '../../src/engine/openEngine.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { mlp } from '../../src/models/mlp.ts';
import { criticalSharpness } from '../../src/probes/criticalSharpness.ts';
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

it('the critical step of a network is where its loss has come back, found in a few forward passes', async () => {
  const steps = gradientDescent(objective, { learningRate: 0.3, steps: 3, batchSize: 4, seed: 2 });
  const { forwards } = objective.cost;
  const rows = await lastValueFrom(
    steps.pipe(
      concatMap(async (step) => {
        const [row] = await lastValueFrom(of(step).pipe(criticalSharpness(), toArray()));
        const point = step.point();
        const gradient = await point.gradient();
        const loss = await point.loss();
        const change = async (eta: number) => (await point.moved(gradient, -eta).loss()) - loss;
        return {
          row: row!,
          before: await change(0.98 * row!.critical_step!),
          after: await change(1.02 * row!.critical_step!),
        };
      }),
      toArray(),
    ),
  );
  expect(rows).toHaveLength(4);
  for (const { row, before, after } of rows) {
    expect(before).toBeLessThan(0);
    expect(after).toBeGreaterThan(0);
    expect(row.evaluations).toBeLessThanOrEqual(12);
  }
  const evaluations = rows.reduce((sum, { row }) => sum + row.evaluations, 0);
  expect(objective.cost.forwards - forwards).toBe(evaluations + 2 * rows.length);
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
