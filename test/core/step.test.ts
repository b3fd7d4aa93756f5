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
    expect(openStep({ index: 0, weights }, { objective }).step.batchSize).toBe(objective.exampleCount);
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

  it('refuses vectors of another length', () => {
    const wrong = { beta1: '0.5', learningRate: '0.1', batchSize: 0, replacement: 'false', batch: [0, 1] };
    for (const [name, value] of Object.entries(wrong)) {
      expect(() => openStep({ index: 1, weights, [name]: value })).toThrow(`openStep: ${name} of step 1 is`);
    }
    expect(() => openStep({ index: 1 } as never)).toThrow('openStep: weights of step 1 is missing.');
    expect(() => openStep({ index: 1, weights, gradient: new Float32Array(2) })).toThrow(
      'gradient has 2 entries at step 1',
    );
    expect(() => openStep({ index: 1, weights, velocity: new Float32Array(4) })).toThrow('velocity has 4 entries');
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
