import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StepData } from '../../src/core/Step.ts';
import { toy } from '../../src/objectives/quadratic.ts';
import { fork } from '../../src/recording/fork.ts';
import { record } from '../../src/recording/record.ts';
import { replay } from '../../src/recording/replay.ts';
import { type GradientDescentOptions, gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';
import { collect } from './plain.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-fork-'));
  path = join(folder, 'recording.arrows');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const objective = regression();
const recorded = (options: Partial<GradientDescentOptions>) =>
  collect(gradientDescent(objective, { learningRate: 0.05, steps: 9, seed: 6, ...options }).pipe(record(path)));
const weights = (steps: readonly StepData[]) => steps.map((step) => step.weights);

describe('fork', () => {
  it.each<[string, Partial<GradientDescentOptions>]>([
    ['gradient descent', {}],
    ['SGD', { batchSize: 5 }],
    ['SGD with replacement', { batchSize: 5, replacement: true }],
    ["Polyak's momentum", { beta1: 0.4 }],
    ["Nesterov's momentum", { batchSize: 5, beta1: 0.4, beta2: 0.4 }],
  ])('that changes nothing is the recorded run, for %s', async (_, options) => {
    const live = await recorded(options);
    expect(await collect(fork(path, { objective, step: 4, steps: 5 }))).toEqual(live.slice(4));
  });

  it('with another rate is a run with it that starts from those weights', async () => {
    const live = await recorded({});
    const started = gradientDescent(objective, {
      learningRate: 0.3,
      steps: 5,
      seed: 6,
      initialWeights: live[4]!.weights,
    });
    const forked = await collect(fork(path, { objective, step: 4, learningRate: 0.3, steps: 5 }));
    expect(weights(forked)).toEqual(weights(await collect(started)));
    expect(forked.map((step) => [step.index, step.epoch, step.learningRate])).toEqual(
      [4, 5, 6, 7, 8, 9].map((t) => [t, t, 0.3]),
    );
  });

  it('keeps the order of the data, also for another batch size', async () => {
    const live = await recorded({ batchSize: 4 });
    const [same, smaller, all] = await Promise.all(
      [{}, { batchSize: 2 }, { batchSize: 12 }].map((more) =>
        collect(fork(path, { objective, step: 3, steps: 3, learningRate: 0.01, ...more })),
      ),
    );
    expect(same!.map((step) => step.batch)).toEqual(live.slice(3, 7).map((step) => step.batch));
    expect(smaller!.map((step) => step.batch)).toEqual(live.slice(3, 7).map((step) => step.batch!.slice(0, 2)));
    expect(all!.map((step) => step.batch)).toEqual([null, null, null, null]);
    expect(smaller!.map((step) => step.epoch * 12)).toEqual([12, 14, 16, 18]);
  });

  it('takes the velocity along, begins one at zero, and drops one', async () => {
    const live = await recorded({ beta1: 0.4 });
    const at = async (more: object) =>
      (await collect(fork(path, { objective, step: 5, steps: 1, ...more })))[0]!.velocity;
    expect(await at({ beta1: 0.8, beta2: 0.8 })).toEqual(live[5]!.velocity);
    expect(await at({ beta1: 0 })).toBeNull();
    rmSync(path);
    await recorded({});
    expect(await at({ beta1: 0.5 })).toEqual(new Float32Array(5));
  });

  it('can be recorded and replayed, and says where it comes from', async () => {
    await recorded({ batchSize: 5 });
    const forked = fork(path, { objective, learningRate: 0.01, steps: 3 });
    expect(forked).toMatchObject({
      total: 4,
      metadata: {
        learningRate: 0.01,
        seed: 6,
        initialWeights: 'recorded',
        fork: { step: 9, of: { learningRate: 0.05 } },
      },
    });
    const second = join(folder, 'fork.arrows');
    const live = await collect(forked.pipe(record(second)));
    expect(await collect(replay(second))).toEqual(live);
  });

  it('refuses what it cannot begin from', async () => {
    await recorded({});
    expect(() => fork(path, { objective, step: 12, steps: 3 })).toThrow('fork: ');
    expect(() => fork(path, { objective: toy(), steps: 3 })).toThrow('fork: ');
    expect(() => fork(path, { objective, steps: -1 })).toThrow('fork: steps is -1');
    expect(() => fork(path, { objective, steps: 3, learningRate: 0 })).toThrow('learningRate is 0');
    expect(() => fork(path, { objective, steps: 3, batchSize: 13 })).toThrow('batchSize is 13');
  });
});
