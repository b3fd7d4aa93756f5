import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { firstValueFrom, lastValueFrom, type Observable, take, tap, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { DivergedError } from '../../src/core/errors.ts';
import type { Objective } from '../../src/core/Objective.ts';
import type { Step } from '../../src/core/Step.ts';
import { norm } from '../../src/linalg/vector.ts';
import { createObjective } from '../../src/objectives/createObjective.ts';
import { leastSquares } from '../../src/objectives/leastSquares.ts';
import { quadratic, toy } from '../../src/objectives/quadratic.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import type { GradientDescentOptions } from '../../src/training/settings.ts';
import { regression } from '../helpers/regression.ts';
import { watchPasses } from '../helpers/watchPasses.ts';

interface Reference {
  readonly beta_1: number;
  readonly beta_2: number;
  readonly theta: readonly (readonly number[])[];
  readonly delta: readonly (readonly number[])[];
  readonly loss: readonly number[];
}

const reference = JSON.parse(
  readFileSync(new URL('../../fixtures/reference/a1-toy.json', import.meta.url), 'utf8'),
) as { alpha: number; eta: number; steps: number; start: number[]; gd: Reference; momentum: Reference[] };

const collect = (steps: Observable<Step>) => lastValueFrom(steps.pipe(toArray()));
const plain = (step: Step) => ({ ...step });

/** One weight from 0 on a slope with that gradient, whose loss says nothing: it is 0 everywhere. */
function slope(gradient: number, accuracy?: (weight: number) => number): Objective {
  const measured = (weights: Float32Array) => ({
    loss: 0,
    accuracy: accuracy?.(weights[0]!) ?? null,
    exampleLosses: null,
  });
  return createObjective({
    name: 'slope',
    paramCount: 1,
    exampleCount: 1,
    coupled: false,
    metadata: {},
    initialWeights: () => Float32Array.of(0),
    performance: async (weights) => measured(weights),
    lossAndGradient: async (weights) => ({ ...measured(weights), gradient: Float32Array.of(gradient) }),
    hessianVector: async () => ({ product: Float32Array.of(0), projections: null }),
    weightedGradient: async () => Float32Array.of(gradient),
  });
}

/** Emits until it fails: the steps before, and the error. */
async function collectFailing(steps: Observable<Step>) {
  const before: Step[] = [];
  const error = await new Promise<Error>((resolve, reject) =>
    steps.subscribe({
      next: (step) => before.push(step),
      error: resolve,
      complete: () => reject(new Error('the stream completed')),
    }),
  );
  return { before, error };
}

describe('the update', () => {
  it.each([reference.gd, ...reference.momentum])(
    'follows the double-precision recursion on the toy for β₁ = $beta_1, β₂ = $beta_2',
    async ({ beta_1, beta_2, theta, delta, loss }) => {
      const { alpha, eta, start, steps: count } = reference;
      const initialWeights = Float32Array.from(start);
      const options = { learningRate: eta, steps: count, beta1: beta_1, beta2: beta_2, initialWeights };
      const steps = await collect(gradientDescent(toy(alpha), options));
      expect(steps).toHaveLength(theta.length);
      for (const [t, { index, weights, batchLoss, velocity, epoch }] of steps.entries()) {
        const size = norm(Float64Array.from(theta[t]!));
        expect([index, epoch]).toEqual([t, t]);
        weights.forEach((w, k) => {
          expect(Math.abs(w - theta[t]![k]!)).toBeLessThan(3e-6 * size);
        });
        if (beta_2 === 0) expect(Math.abs(batchLoss / loss[t]! - 1)).toBeLessThan(1e-5);
        if (beta_1 === 0) expect(velocity).toBeNull();
        else if (t === 0) expect([...velocity!]).toEqual([0, 0]);
        else
          velocity!.forEach((v, k) => {
            expect(Math.abs(v - delta[t - 1]![k]!)).toBeLessThan(3e-6 * size);
          });
      }
    },
  );

  it('is computed in double precision and rounded once', async () => {
    const objective = quadratic({ A: [[3]] });
    const initialWeights = Float32Array.of(1 / 3);
    const [first, second] = await collect(gradientDescent(objective, { learningRate: 0.1, steps: 1, initialWeights }));
    expect(second!.weights[0]).toBe(Math.fround(first!.weights[0]! - 0.1 * first!.gradient[0]!));
  });

  it("takes the gradient at the look-ahead point, and the loss there as the batch's", async () => {
    const objective = regression();
    const options = { learningRate: 0.1, steps: 3, beta1: 0.5, beta2: 0.5 };
    for (const step of await collect(gradientDescent(objective, options))) {
      const ahead = objective.at(step.weights.map((w, k) => w + 0.5 * step.velocity![k]!));
      expect(step.gradient).toEqual(await ahead.gradient());
      expect(step.batchLoss).toBe(await ahead.loss());
    }
  });

  it('shares its full gradient with the probes behind it', async () => {
    const objective = regression();
    await lastValueFrom(
      gradientDescent(objective, { learningRate: 0.1, steps: 9 }).pipe(
        tap((step) => {
          const point = objective.at(step.weights);
          step.waitUntil(Promise.all([point.gradient(), point.loss(), point.performance('train')]));
        }),
      ),
    );
    expect(objective.cost).toEqual({ forwards: 0, gradients: 10, products: 0 });
  });
});

describe('batches', () => {
  const [n, b, count] = [8, 3, 6000];
  const drawn = async (replacement: boolean) =>
    (
      await collect(
        gradientDescent(regression(n, 1), { learningRate: 1e-3, steps: count - 1, batchSize: b, replacement }),
      )
    ).map((step) => [...step.batch!]);

  /** Five standard deviations of a count of `trials` with probability p. */
  const expectShare = (found: number, trials: number, p: number) =>
    expect(Math.abs(found - trials * p)).toBeLessThan(5 * Math.sqrt(trials * p * (1 - p)));

  it('hold each set of examples equally often without replacement', async () => {
    const sets = (await drawn(false)).map((batch) => batch.sort((x, y) => x - y).join());
    const counts = Map.groupBy(sets, (set) => set);
    expect(counts.size).toBe(56);
    for (const [set, equal] of counts) {
      expect(new Set(set.split(',')).size).toBe(b);
      expectShare(equal.length, count, 1 / 56);
    }
  });

  it('hold each example equally often in each place with replacement, repeats among them', async () => {
    const batches = await drawn(true);
    for (let k = 0; k < b; k++) {
      for (let i = 0; i < n; i++) expectShare(batches.filter((batch) => batch[k] === i).length, count, 1 / n);
    }
    const distinct = batches.filter((batch) => new Set(batch).size === b);
    expectShare(distinct.length, count, (7 / 8) * (6 / 8));
  });

  it('are a function of the seed and the step alone', async () => {
    const batches = async (options: Partial<GradientDescentOptions>) =>
      (
        await collect(gradientDescent(regression(), { learningRate: 0.1, steps: 5, batchSize: 4, seed: 3, ...options }))
      ).map((step) => step.batch);
    const known = await batches({});
    expect(await batches({ steps: 2, learningRate: 0.01, beta1: 0.9 })).toEqual(known.slice(0, 3));
    expect(await batches({ seed: 4 })).not.toEqual(known);
  });

  it('bring the loss and the gradient of their own mean', async () => {
    const objective = regression();
    for (const step of await collect(gradientDescent(objective, { learningRate: 0.1, steps: 4, batchSize: 5 }))) {
      const { loss, gradient } = await objective.at(step.weights).batchGradient(step.batch!);
      expect([step.batchLoss, step.gradient]).toEqual([loss, gradient]);
      expect(step.epoch).toBe((step.index * 5) / 12);
    }
  });

  it('of all n examples without replacement are full-batch gradient descent', async () => {
    const bits = async (options: Partial<GradientDescentOptions>) =>
      (await collect(gradientDescent(regression(), { learningRate: 0.1, steps: 3, ...options }))).map(plain);
    const full = await bits({});
    expect(await bits({ batchSize: 12 })).toEqual(full);
    expect(full[1]).toMatchObject({ batch: null, batchSize: 12, epoch: 1 });
    expect((await bits({ batchSize: 12, replacement: true }))[0]!.batch).toHaveLength(12);
  });
});

it('refuses an option that there is not, and takes plain numbers as weights', async () => {
  const momentum = { learningRate: 0.1, steps: 1, betta1: 0.9 } as GradientDescentOptions;
  expect(() => gradientDescent(regression(), momentum)).toThrow(
    "gradientDescent: there is no option 'betta1'. Did you mean beta1? There are learningRate, steps,",
  );
  const source = gradientDescent(toy(), { learningRate: 0.1, steps: 0, initialWeights: [3, 0.1] });
  expect((await firstValueFrom(source)).weights).toEqual(Float32Array.of(3, 0.1));
});

describe('the stream', () => {
  const options = { learningRate: 0.05, steps: 6, batchSize: 2, beta1: 0.3, beta2: 0.2 };

  it('is cold: subscriptions side by side are runs of their own, with the same bits', async () => {
    const source = gradientDescent(regression(), options);
    const [a, b] = await Promise.all([collect(source), collect(source)]);
    expect(a.map(plain)).toEqual(b.map(plain));
    expect(a).toHaveLength(a[0]!.run.total!);
    const other = await collect(gradientDescent(regression(), { ...options, seed: 1 }));
    expect(other[0]!.weights).not.toEqual(a[0]!.weights);
  });

  it('does not move on before everything registered on a step has settled, also by rejection', async () => {
    const objective = regression();
    const gate = Promise.withResolvers<void>();
    const later = Promise.withResolvers<void>();
    const seen: number[] = [];
    const run = lastValueFrom(
      gradientDescent(objective, { learningRate: 0.1, steps: 3 }).pipe(
        tap((step) => {
          seen.push(step.index);
          if (step.index === 1) {
            step.waitUntil(gate.promise);
            step.waitUntil(Promise.reject(new Error('reported by its maker')));
            gate.promise.then(() => step.waitUntil(later.promise));
          }
        }),
      ),
    );
    for (let k = 0; k < 20; k++) await setImmediate();
    expect([seen, objective.cost.gradients]).toEqual([[0, 1], 2]);
    gate.resolve();
    for (let k = 0; k < 20; k++) await setImmediate();
    expect([seen, objective.cost.gradients]).toEqual([[0, 1], 2]);
    later.resolve();
    await run;
    expect(seen).toEqual([0, 1, 2, 3]);
  });

  it('lets the event loop turn between two steps', async () => {
    let turns = 0;
    const turn = setInterval(() => turns++, 0);
    await collect(gradientDescent(regression(), { learningRate: 0.01, steps: 3000 }));
    clearInterval(turn);
    expect(turns).toBeGreaterThan(1);
  });

  it('ends within the pass at hand when it is unsubscribed', async () => {
    const gate = Promise.withResolvers<void>();
    let passes = 0;
    const objective = watchPasses(regression(), async () => {
      passes++;
      if (passes === 3) await gate.promise;
    });
    const seen: number[] = [];
    const subscription = gradientDescent(objective, options).subscribe((step) => seen.push(step.index));
    while (passes < 3) await setImmediate();
    subscription.unsubscribe();
    gate.resolve();
    for (let k = 0; k < 20; k++) await setImmediate();
    expect([seen, passes]).toEqual([[0, 1], 3]);
  });

  it('begins no pass after it is unsubscribed while it waits', async () => {
    const objective = regression();
    const steps = await collect(gradientDescent(objective, { learningRate: 0.1, steps: 100 }).pipe(take(3)));
    for (let k = 0; k < 20; k++) await setImmediate();
    expect([steps.length, objective.cost.gradients]).toEqual([3, 3]);
  });

  it('says in its metadata all that makes it again', async () => {
    const objective = regression();
    const runOf = async (source: Observable<Step>) => (await firstValueFrom(source)).run;
    const { metadata, total, last } = await runOf(
      gradientDescent(objective, { ...options, until: { loss: 0.1 }, seed: 2 }),
    );
    expect([total, last]).toEqual([7, 6]);
    expect(metadata).toMatchObject({ ...options, seed: 2, until: { loss: 0.1 }, objective: objective.metadata });
    const given = async (w: number) => {
      const initialWeights = new Float32Array(5).fill(w);
      return (await runOf(gradientDescent(objective, { ...options, initialWeights }))).metadata?.initialWeights;
    };
    expect(await given(1)).toMatch(/^sha256 [0-9a-f]{64}$/);
    expect(await given(1)).not.toBe(await given(2));
  });

  it('keeps its own copy of the initial weights', async () => {
    const initialWeights = Float32Array.of(1);
    const source = gradientDescent(quadratic({ A: [[1]] }), { learningRate: 0.1, steps: 0, initialWeights });
    initialWeights[0] = 5;
    expect((await collect(source))[0]!.weights).toEqual(Float32Array.of(1));
  });
});

describe('until', () => {
  it('ends full-batch GD at the first step with that loss, at no cost', async () => {
    const objective = regression();
    const steps = await collect(gradientDescent(objective, { learningRate: 0.1, steps: 500, until: { loss: 0.5 } }));
    const losses = steps.map((step) => step.batchLoss);
    expect(losses.at(-1)).toBeLessThanOrEqual(0.5);
    expect(losses.slice(0, -1).every((loss) => loss > 0.5)).toBe(true);
    expect(losses.length).toBeGreaterThan(2);
    expect(objective.cost).toEqual({ forwards: 0, gradients: steps.length, products: 0 });
  });

  it('looks once an epoch at the loss of SGD', async () => {
    const objective = regression();
    const options = { learningRate: 0.05, steps: 36, batchSize: 5, until: { loss: -1 } };
    await collect(gradientDescent(objective, options));
    // t·5/12 passes an integer on the way to step 35: 0 … 14.
    expect(objective.cost.forwards).toBe(15);
  });

  it('ends at an accuracy, and refuses one where there are no classes', async () => {
    const until = { accuracy: 0.75 };
    const steps = await collect(
      gradientDescent(
        slope(-1, (w) => w / 4),
        { learningRate: 1, steps: 20, until },
      ),
    );
    expect(steps.map((step) => step.weights[0])).toEqual([0, 1, 2, 3]);
    const { before, error } = await collectFailing(
      gradientDescent(regression(), { learningRate: 0.1, steps: 2, until }),
    );
    expect(before).toHaveLength(1);
    expect(error.message).toContain('until.accuracy is 0.75. The objective has no classes');
  });
});

describe('a number that is not finite', () => {
  it('is divergence once training has left θ_0: the steps before it are out, the error names step, value and rate', async () => {
    const { before, error } = await collectFailing(gradientDescent(toy(), { learningRate: 1, steps: 1000 }));
    expect(error).toBeInstanceOf(DivergedError);
    const { step, message } = error as DivergedError;
    expect(before.map((s) => s.index)).toEqual(Array.from({ length: step }, (_, t) => t));
    expect(step).toBeGreaterThan(10);
    expect(before.every((s) => Number.isFinite(s.batchLoss) && s.gradient.every(Number.isFinite))).toBe(true);
    expect(message).toMatch(
      new RegExp(
        `^gradientDescent: .* is (-?Infinity|NaN) at step ${step}, learning rate 1\\. .* smaller learningRate`,
      ),
    );
  });

  it('is divergence also where an update overflows though loss and gradient are finite', async () => {
    const { before, error } = await collectFailing(gradientDescent(slope(1e30), { learningRate: 1e9, steps: 3 }));
    expect(before).toHaveLength(1);
    expect(error).toBeInstanceOf(DivergedError);
    expect(error.message).toContain('entry 0 of θ is -Infinity at step 1');
  });

  const spoiled = () => leastSquares({ X: [[1], [2], [3], [4], [5], [6], [7], [8]], y: [1, 2, 3, 4, 5, 1e200, 7, 8] });

  it('at θ_0 is a fault in the data, and the example is named', async () => {
    const { before, error } = await collectFailing(gradientDescent(spoiled(), { learningRate: 0.01, steps: 3 }));
    expect(before).toHaveLength(0);
    expect(error).not.toBeInstanceOf(DivergedError);
    expect(error.message).toMatch(
      /the batch loss is Infinity at step 0, and it is no divergence.*example 5 has loss Infinity/,
    );
  });

  it('in a batch drawn later is a fault in the data too', async () => {
    const options = { learningRate: 1e-4, steps: 100, batchSize: 1, seed: 0 };
    const { before, error } = await collectFailing(gradientDescent(spoiled(), options));
    expect(before.length).toBeGreaterThan(0);
    expect(error).not.toBeInstanceOf(DivergedError);
    expect(error.message).toContain(`at step ${before.length}, and it is no divergence`);
    expect(error.message).toContain('example 5 has loss Infinity');
  });

  it('of SGD on sound data is divergence', async () => {
    const options = { learningRate: 50, steps: 1000, batchSize: 2 };
    expect((await collectFailing(gradientDescent(regression(), options))).error).toBeInstanceOf(DivergedError);
  });
});

describe("a caller's mistake throws at the call", () => {
  const good = { learningRate: 0.1, steps: 3 };
  it.each<[Partial<GradientDescentOptions>, string]>([
    [{ learningRate: 0 }, 'learningRate is 0'],
    [{ learningRate: -0.1 }, 'learningRate is -0.1'],
    [{ learningRate: Number.NaN }, 'learningRate is NaN'],
    [{ learningRate: Number.POSITIVE_INFINITY }, 'learningRate is Infinity'],
    [{ steps: 2.5 }, 'steps is 2.5'],
    [{ steps: -1 }, 'steps is -1'],
    [{ batchSize: 0 }, 'batchSize is 0'],
    [{ batchSize: 13 }, 'batchSize is 13. The objective has 12 examples'],
    [{ replacement: true }, 'replacement is true without a batchSize'],
    [{ beta1: 1.1 }, 'beta1 is 1.1'],
    [{ beta2: -0.1 }, 'beta2 is -0.1'],
    [{ beta1: Number.NaN }, 'beta1 is NaN'],
    [{ seed: 0.5 }, 'seed is 0.5'],
    [{ until: { loss: Number.NaN } }, 'until.loss is NaN'],
    [{ until: { accuracy: 90 } }, 'until.accuracy is 90'],
    [{ initialWeights: new Float32Array(3) }, 'initialWeights has 3 entries. The objective has 5'],
    [{ initialWeights: Float32Array.of(0, 0, Number.NaN, 0, 0) }, 'initialWeights[2] is NaN'],
  ])('%o', (options, message) => {
    expect(() => gradientDescent(regression(), { ...good, ...options })).toThrow(`gradientDescent: ${message}`);
  });

  it('and a wrong name or a missing rate does not compile', () => {
    // @ts-expect-error there is no rate to assume
    expect(() => gradientDescent(regression(), { steps: 3 })).toThrow('learningRate is missing');
    // @ts-expect-error an unknown option
    expect(() => gradientDescent(regression(), { ...good, momentum: 0.9 })).toThrow(
      "there is no option 'momentum'. Did you mean beta1?",
    );
  });
});
