import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstValueFrom, lastValueFrom, type Observable, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Step } from '../../src/core/Step.ts';
import { quadratic } from '../../src/objectives/quadratic.ts';
import { topEigenvalues } from '../../src/probes/index.ts';
import { fork } from '../../src/recording/fork.ts';
import { record } from '../../src/recording/record.ts';
import { resume } from '../../src/recording/resume.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import type { GradientDescentOptions } from '../../src/training/settings.ts';
import { regression } from '../helpers/regression.ts';

const collect = (steps: Observable<Step>) => lastValueFrom(steps.pipe(toArray()));
const plain = (steps: readonly Step[]) => steps.map((step) => ({ ...step }));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-settings-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a learning rate that goes along training', () => {
  const learningRate = { schedule: 'cosine', rate: 0.1, warmup: 2, end: 0.01 } as const;

  it('stands in each step, makes its update, and sets its edge', async () => {
    const steps = await collect(gradientDescent(regression(), { learningRate, steps: 6 }));
    for (const [t, { weights, gradient, learningRate: eta }] of steps.slice(0, -1).entries()) {
      const wave = 0.01 + (0.09 * (1 + Math.cos((Math.PI * t) / 6))) / 2;
      expect(eta).toBeCloseTo(t < 2 ? (wave * (t + 1)) / 3 : wave, 15);
      const next = weights.map((w, k) => w - eta * gradient[k]!);
      expect(steps[t + 1]!.weights).toEqual(next);
    }
    const rows = await collectRows(gradientDescent(regression(), { learningRate, steps: 6 }));
    expect(rows.map(({ edge }) => edge)).toEqual(steps.map((step) => 2 / step.learningRate));
  });

  const collectRows = (steps: Observable<Step>) => lastValueFrom(steps.pipe(topEigenvalues(), toArray()));

  it('goes on as it was where the run is resumed, and is left by a fork with another', async () => {
    const path = join(folder, 'a.arrows');
    const whole = await collect(gradientDescent(regression(), { learningRate, steps: 8, batchSize: 3 }));
    const cut = gradientDescent(regression(), { learningRate: { ...learningRate, over: 8 }, steps: 4, batchSize: 3 });
    await collect(cut.pipe(record(path)));
    const objective = regression();
    const rest = await collect(resume(path, { objective, steps: 8 }));
    expect(plain(rest)).toEqual(plain(whole.slice(4)));
    const forked = await collect(fork(path, { objective, step: 2, steps: 2, learningRate: 0.5 }));
    expect(forked.map((step) => step.learningRate)).toEqual([0.5, 0.5, 0.5]);
  });
});

describe('epochs', () => {
  it('are so many passes over the data, rounded up to a whole step', async () => {
    const count = async (options: Partial<GradientDescentOptions>) =>
      (await collect(gradientDescent(regression(12), { learningRate: 0.01, ...options }))).length - 1;
    expect(await count({ epochs: 3 })).toBe(3);
    expect(await count({ epochs: 3, batchSize: 5 })).toBe(8);
    expect(await count({ epochs: 3, batchSize: 5, shuffle: 'epoch' })).toBe(6);
    expect(await count({ epochs: 0.5, batchSize: 4 })).toBe(2);
  });

  it.each([
    [25, 11, 5, 55],
    [30, 50, 3, 500],
    [1.1, 10, 1, 11],
  ])('end with a whole step: %d, of %d examples in batches of %d', async (epochs, n, batchSize, T) => {
    const first = await firstValueFrom(gradientDescent(regression(n), { learningRate: 0.01, epochs, batchSize }));
    expect(first.run.last).toBe(T);
  });

  it('or steps must be given, and not both', () => {
    const make = (options: object) => () => gradientDescent(regression(), { learningRate: 0.1, ...options });
    expect(make({})).toThrow('gradientDescent: steps is undefined and epochs is undefined. One of them says');
    expect(make({ steps: 3, epochs: 1 })).toThrow('steps is 3 and epochs is 1');
    expect(make({ epochs: -1 })).toThrow('epochs is -1');
  });
});

describe("shuffle: 'epoch'", () => {
  const train = (options: Partial<GradientDescentOptions> = {}) =>
    gradientDescent(regression(13), { learningRate: 0.01, steps: 12, batchSize: 4, shuffle: 'epoch', ...options });
  const batches = async (steps: Observable<Step>) => (await collect(steps)).map(({ batch }) => [...batch!]);

  it('takes each example at most once an epoch, all but n mod b of them, in another order each time', async () => {
    const all = await batches(train());
    const epochs = [0, 1, 2, 3].map((epoch) => all.slice(3 * epoch, 3 * epoch + 3).flat());
    for (const epoch of epochs) expect(new Set(epoch).size).toBe(12);
    expect(new Set(epochs.map(String)).size).toBe(4);
    expect(all).toEqual(await batches(train()));
    expect(all).not.toEqual(await batches(train({ seed: 1 })));
    expect(all).not.toEqual(await batches(train({ shuffle: 'independent' })));
  });

  it('counts passes, so that a run ends with as many epochs as it was asked for', async () => {
    const options = { learningRate: 0.01, epochs: 2, batchSize: 4, shuffle: 'epoch' } as const;
    const steps = await collect(gradientDescent(regression(13), options));
    expect(steps.map(({ epoch }) => epoch)).toEqual([0, 1 / 3, 2 / 3, 1, 4 / 3, 5 / 3, 2]);
  });

  it('leaves each example out equally often', async () => {
    const all = await batches(train({ steps: 2999 }));
    const counts = new Array(13).fill(0);
    for (const i of all.flat()) counts[i]++;
    // In 1000 epochs an example comes Binomial(1000, 12/13) times: standard deviation 8.4.
    for (const count of counts) expect(Math.abs(count - (1000 * 12) / 13)).toBeLessThan(5 * 8.5);
  });

  it('goes on in the middle of an epoch where the run is resumed', async () => {
    const path = join(folder, 'b.arrows');
    await collect(train({ steps: 4 }).pipe(record(path)));
    const rest = await collect(resume(path, { objective: regression(13), steps: 12 }));
    expect(plain(rest)).toEqual(plain((await collect(train())).slice(4)));
  });

  it('does not go with replacement, and must be one of two words', () => {
    expect(() => train({ replacement: true })).toThrow("shuffle is 'epoch' and replacement is true");
    expect(() => train({ shuffle: 'yes' as 'epoch' })).toThrow("shuffle is 'yes'. It must be 'independent' or 'epoch'");
  });
});

describe('weight decay', () => {
  it('takes η λ θ off at each update, beside the momentum, and leaves the loss as it is', async () => {
    const A = [
      [2, 0.5],
      [0.5, 1],
    ];
    const options = { learningRate: 0.25, steps: 20, beta1: 0.5, weightDecay: 0.125, initialWeights: [3, -1] };
    const steps = await collect(gradientDescent(quadratic({ A }), options));
    let [theta, delta] = [
      [3, -1],
      [0, 0],
    ];
    for (const { weights, velocity, batchLoss } of steps) {
      theta.forEach((x, k) => {
        expect(weights[k]).toBeCloseTo(x, 5);
        expect(velocity![k]).toBeCloseTo(delta[k]!, 5);
      });
      const slope = A.map((row) => row[0]! * theta[0]! + row[1]! * theta[1]!);
      expect(batchLoss).toBeCloseTo((slope[0]! * theta[0]! + slope[1]! * theta[1]!) / 2, 5);
      const change = delta.map((d, k) => 0.5 * d - 0.25 * slope[k]!);
      theta = theta.map((x, k) => x + change[k]! - 0.25 * 0.125 * x);
      delta = change;
    }
  });

  it('moves the edge of full-batch descent by λ', async () => {
    const grows = async (curvature: number) => {
      const options = { learningRate: 0.1, steps: 200, weightDecay: 2, initialWeights: [1] };
      const steps = await collect(gradientDescent(quadratic({ A: [[curvature]] }), options));
      return Math.abs(steps.at(-1)!.weights[0]!) > 1;
    };
    expect([await grows(20 - 2 - 0.1), await grows(20 - 2 + 0.1)]).toEqual([false, true]);
  });

  it('is part of what makes a run again, and is no part of one without it', async () => {
    const metadataOf = async (options: object) =>
      (await collect(gradientDescent(regression(), { learningRate: 0.1, steps: 1, ...options })))[0]!.run.metadata;
    expect(await metadataOf({ weightDecay: 0.5, shuffle: 'epoch', batchSize: 3 })).toMatchObject({
      weightDecay: 0.5,
      shuffle: 'epoch',
    });
    expect(await metadataOf({ weightDecay: 0, shuffle: 'independent' })).toEqual(await metadataOf({}));
    expect(() => gradientDescent(regression(), { learningRate: 0.1, steps: 1, weightDecay: -1 })).toThrow(
      'weightDecay is -1',
    );
  });
});
