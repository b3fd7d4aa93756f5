import { firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { derivedStep, openStep, requireStep, type Step, stepRun } from '../../src/core/Step.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';

const weights = Float32Array.of(1, 2, 3);

describe('a step', () => {
  it('is plain data: nothing but its fields is spread, cloned or written as JSON', async () => {
    const step = await firstValueFrom(gradientDescent(regression(), { learningRate: 0.1, steps: 1, batchSize: 2 }));
    const names = [
      ...['index', 'weights', 'gradient', 'batchLoss', 'batch', 'batchSize', 'replacement'],
      ...['learningRate', 'beta1', 'beta2', 'velocity', 'epoch'],
    ];
    expect(Object.keys(step)).toEqual(names);
    expect(Object.keys({ ...step })).toEqual(names);
    expect(structuredClone(step)).toEqual({ ...step });
    expect(Object.keys(JSON.parse(JSON.stringify(step)))).toEqual(names);
  });

  it('needs an index and weights; what else is not said is unknown, or that of plain full-batch descent', () => {
    const { step } = openStep({ index: 4, weights });
    expect({ ...step }).toEqual({
      index: 4,
      weights,
      gradient: new Float32Array(3).fill(Number.NaN),
      batchLoss: Number.NaN,
      batch: null,
      batchSize: 1,
      replacement: false,
      learningRate: Number.NaN,
      beta1: 0,
      beta2: 0,
      velocity: null,
      epoch: 4,
    });
    expect(step.run).toEqual(stepRun({}));
    expect(() => step.point()).toThrow('step 4 knows no objective. Its source names none; name one there');
    const batch = Int32Array.of(3, 1);
    expect(openStep({ index: 0, weights, batch }).step.batchSize).toBe(2);
    const objective = regression();
    const theta = objective.initialWeights(0);
    expect(openStep({ index: 0, weights: theta }, { objective }).step.batchSize).toBe(objective.exampleCount);
  });

  it('knows its run, one for all steps of a source, and L at its weights', async () => {
    const objective = regression();
    const run = stepRun({ objective, metadata: { source: 'mine' }, total: 2, last: 1 });
    const theta = objective.initialWeights(0);
    const [a, b] = [0, 1].map((index) => openStep({ index, weights: theta }, run).step) as [Step, Step];
    expect(a.run).toBe(b.run);
    expect(a.run).toMatchObject({ total: 2, last: 1, reads: [], resumes: null, branch: null });
    expect(a.point()).toBe(objective.at(theta));
    expect(await a.point().loss()).toBe(await objective.at(theta).loss());
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53])('refuses the index %d', (index) => {
    expect(() => openStep({ index, weights })).toThrow(`openStep: index is ${index}.`);
  });

  it('takes vectors of every kind, and those of its own kind as they are', () => {
    const given = { weights: [1, 2, 3], gradient: Float64Array.of(4, 5, 6), velocity: [7n, 8n, 9n], batch: [2, 0] };
    const { step } = openStep({ index: 0, ...given } as unknown as Parameters<typeof openStep>[0]);
    expect({ ...step }).toMatchObject({
      weights,
      gradient: Float32Array.of(4, 5, 6),
      velocity: Float32Array.of(7, 8, 9),
      batch: Int32Array.of(2, 0),
    });
    const again = openStep({ ...step, index: 1 }).step;
    for (const name of ['weights', 'gradient', 'velocity', 'batch'] as const) expect(again[name]).toBe(step[name]);
    // One whose gradient, loss and rate are unknown can be opened again.
    const { gradient, ...rest } = openStep({ index: 2, weights }).step;
    expect({ ...openStep({ ...rest, gradient }).step }).toEqual({ ...rest, gradient });
  });

  it.each<[object, string]>([
    [{ gradient: new Float32Array(2) }, 'gradient has 2 entries. It must have 3.'],
    [{ velocity: new Float32Array(4) }, 'velocity has 4 entries. It must have 3.'],
    [{ weights: undefined }, 'weights is missing. It must be an array'],
    [{ weights: Float32Array.of(1, Number.NaN, 3) }, 'weights[1] is NaN. Every value must be finite'],
    [{ weights: [1, '2', 3] }, "weights[1] is '2'. It must be a number"],
    [{ gradient: 'abc' }, "gradient is 'abc'. It must be an array"],
    [{ velocity: [1, null, 3] }, 'velocity[1] is null. It must be a number'],
    [{ batch: [0, 1.5] }, 'batch[1] is 1.5. It must be an integer of at least 0.'],
    [{ batch: Int32Array.of(-1) }, 'batch[0] is -1. It must be an integer'],
    [{ batch: [] }, 'the batch is empty.'],
    [{ batchSize: 0.5 }, 'batchSize is 0.5. It must be an integer of at least 1.'],
    [{ replacement: 'no' }, "replacement is 'no'. It must be true or false."],
    [{ batchLoss: '1' }, "batchLoss is '1'. It must be a number, NaN if unknown."],
    [{ learningRate: '0.1' }, "learningRate is '0.1'. It must be a finite number of at least 0."],
    [{ learningRate: -1 }, 'learningRate is -1. It must be'],
    [{ beta1: '1' }, "beta1 is '1'. It must be a number from 0 to 1."],
    [{ beta2: 1.5 }, 'beta2 is 1.5. It must be a number from 0 to 1.'],
    [{ epoch: '3' }, "epoch is '3'. It must be a finite number of at least 0."],
  ])('refuses %o by name, value and step', (wrong, message) => {
    expect(() => openStep({ index: 4, weights, ...wrong })).toThrow(`openStep (step 4): ${message}`);
  });

  it('refuses names that there are not, weights and examples that its objective has not, and no run at all', () => {
    const [objective, open] = [regression(), openStep as (data: unknown, run?: unknown) => void];
    expect(() => open({ index: 0, weights, learnRate: 1 })).toThrow("there is no option 'learnRate'. Did you mean");
    expect(() => open(null)).toThrow('openStep: the argument is null.');
    expect(() => open({ index: 0, weights }, null)).toThrow('openStep: the argument is null.');
    expect(() => open({ index: 0, weights }, { objectiv: objective })).toThrow('Did you mean objective?');
    expect(() => open({ index: 0, weights }, { objective: 3 })).toThrow('objective is 3. It must be an objective');
    expect(() => open({ index: 0, weights }, { total: '3' })).toThrow("total is '3'. It must be an integer");
    expect(() => open({ index: 0, weights }, { reads: 'file' })).toThrow("reads is 'file'. It must be an array");
    expect(() => open({ index: 0, weights: [1] }, { objective })).toThrow(
      `weights has 1 entries. The objective has ${objective.paramCount} parameters.`,
    );
    const [theta, n] = [objective.initialWeights(0), objective.exampleCount];
    expect(() => open({ index: 0, weights: theta, batch: [0, n] }, { objective })).toThrow(
      `the batch names example ${n}. There are ${n}, counted from 0.`,
    );
  });
});

describe('what is registered on a step', () => {
  it('is waited for, also what comes while waiting, on the step and on what is derived from it', async () => {
    const { step, settled } = openStep({ index: 0, weights });
    const told: Promise<unknown>[] = [];
    const derived = derivedStep(step, stepRun({ total: 9 }), (promise) => told.push(promise));
    const twice = derivedStep(derived, derived.run, (promise) => told.push(promise));
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    step.waitUntil(first.promise);
    let isSettled = false;
    const whole = settled().then(() => {
      isSettled = true;
    });
    twice.waitUntil(second.promise);
    expect(told).toEqual([second.promise, second.promise]);
    first.resolve();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect([isSettled, step.isSettled]).toEqual([false, false]);
    second.reject(new Error('reported by its maker'));
    await whole;
    expect([step.isSettled, derived.isSettled, twice.isSettled]).toEqual([true, true, true]);
    expect(twice.run.total).toBe(9);
    expect({ ...twice }).toEqual({ ...step });
  });

  it('is nothing on a copy, which is told apart', () => {
    const { step } = openStep({ index: 7, weights });
    expect(requireStep('me', step)).toBe(step);
    expect(() => requireStep('me', { ...step })).toThrow(
      "me: step 7 is a copy, which has a step's data and no longer its run",
    );
    expect(() => requireStep('me', null)).toThrow('me: null came where a step was expected');
    expect(() => requireStep('me', 3)).toThrow('me: a value of type number came where a step was expected');
  });
});

it.each(['weights', 'gradient', 'velocity'])(
  '%s that a probe writes to end the run, which would go on from them',
  async (name) => {
    const [weights, gradient, velocity] = [1, 2, 3].map((x) => new Float32Array(2).fill(x));
    const { step, settled } = openStep({ index: 3, weights: weights!, gradient: gradient!, velocity: velocity! });
    step.waitUntil(Promise.resolve().then(() => (step[name as 'weights'][0]! *= 2)));
    await expect(settled()).rejects.toThrow(`step: ${name} of step 3 was written to while it was measured.`);
  },
);
