import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, from, lastValueFrom, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StepData } from '../../src/core/StepData.ts';
import { toy } from '../../src/objectives/quadratic.ts';
import { fork } from '../../src/recording/fork.ts';
import { record } from '../../src/recording/record.ts';
import { replay } from '../../src/recording/replay.ts';
import { resume } from '../../src/recording/resume.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import type { GradientDescentOptions } from '../../src/training/settings.ts';
import { regression } from '../helpers/regression.ts';
import { stepAt } from '../helpers/stepAt.ts';
import { collect, plain } from './plain.ts';

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

  it('takes an option that is undefined for one that is not given', async () => {
    const live = await recorded({ batchSize: 5, beta1: 0.4 });
    const forked = fork(path, {
      objective,
      step: 4,
      steps: 5,
      ...({ batchSize: undefined, beta1: undefined } as object),
    });
    expect(await collect(forked)).toEqual(live.slice(4));
  });

  it('begins at the last step of a run whose rate had come to 0', async () => {
    const live = await recorded({ learningRate: { schedule: 'cosine', rate: 0.05 } });
    const forked = await collect(fork(path, { objective, learningRate: 0.3, steps: 1 }));
    expect(forked.map(({ index, learningRate }) => [index, learningRate])).toEqual([
      [9, 0.3],
      [10, 0.3],
    ]);
    expect(forked[0]!.weights).toEqual(live[9]!.weights);
    expect(await collect(resume(path, { objective }))).toEqual(live.slice(9));
    await expect(collect(fork(path, { objective, steps: 1 }))).rejects.toThrow('the learning rate is 0 from step 9 on');
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

  it('counts passes on from where it left, also in the middle of one with batches of another size', async () => {
    await recorded({ batchSize: 4, shuffle: 'epoch' });
    const epochs = async (step: number, batchSize: number) =>
      (await collect(fork(path, { objective, step, steps: 2, batchSize }))).map(({ epoch }) => epoch);
    expect(await epochs(4, 4)).toEqual([4 / 3, 5 / 3, 2]);
    for (const [k, epoch] of (await epochs(4, 7)).entries()) expect(epoch).toBeCloseTo(4 / 3 + k, 12);
    for (const [k, epoch] of (await epochs(5, 6)).entries()) expect(epoch).toBeCloseTo(5 / 3 + k / 2, 12);
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
    expect((await firstValueFrom(forked)).run).toMatchObject({
      total: 4,
      last: 12,
      reads: [path],
      resumes: null,
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

  it('can be resumed, and still says where it comes from', async () => {
    await recorded({ batchSize: 5 });
    const second = join(folder, 'fork.arrows');
    const forked = fork(path, { step: 4, learningRate: 0.01, steps: 5 });
    const live = await lastValueFrom(forked.pipe(toArray()));
    await collect(forked.pipe(record(second, { to: 6 })));
    const resumed = await lastValueFrom(resume(second).pipe(toArray()));
    expect(resumed.map(plain)).toEqual(live.slice(2).map(plain));
    expect(JSON.stringify(resumed[0]!.run.metadata)).toBe(JSON.stringify(live[0]!.run.metadata));
  });

  it('rebuilds the objective where none is given', async () => {
    const live = await recorded({ batchSize: 5 });
    const steps = await lastValueFrom(fork(path, { step: 4, steps: 5 }).pipe(toArray()));
    expect(steps.map(plain)).toEqual(live.slice(4));
    expect(steps[0]!.run.objective!.metadata).toEqual(objective.metadata);
  });

  it('refuses what it cannot begin from', async () => {
    await recorded({});
    expect(() => fork(path, { objective, step: 12, steps: 3 })).toThrow('fork: ');
    expect(() => fork(path, { objective: toy(), steps: 3 })).toThrow('fork: ');
    expect(() => fork(path, { steps: 3, learningrate: 1 } as never)).toThrow(
      "fork: there is no option 'learningrate'. Did you mean learningRate?",
    );
    const refusal = (options: object) => collect(fork(path, { objective, steps: 3, ...options }));
    await expect(refusal({ learningRate: 0 })).rejects.toThrow('learningRate is 0');
    await expect(refusal({ batchSize: 13 })).rejects.toThrow('batchSize is 13');
  });

  it('refuses a recording whose source is not known, or that was replaced since', async () => {
    await recorded({});
    const steps = fork(path, { objective, steps: 3 });
    await collect(
      gradientDescent(objective, { learningRate: 0.05, steps: 9 }).pipe(record(path, { every: 2, overwrite: true })),
    );
    await expect(collect(steps)).rejects.toThrow('is of another run than when it was opened');
    await collect(from([stepAt(new Float32Array(5))]).pipe(record(path, { overwrite: true })));
    expect(() => fork(path, { objective, steps: 3 })).toThrow(
      /doesn't say its seed\. Its source is not gradientDescent/,
    );
  });
});
