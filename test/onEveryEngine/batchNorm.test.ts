import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, type OperatorFunction, of, toArray } from 'rxjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { probes } from '../../src/catalogue/probes.ts';
import type { Objective } from '../../src/core/Objective.ts';
import type { Step } from '../../src/core/Step.ts';
import type { StepData } from '../../src/core/StepData.ts';
import { arrays } from '../../src/datasets/arrays.ts';
import { paramCount } from '../../src/engine/Model.ts';
import { type EngineName, openEngine } from '../../src/engine/openEngine.ts';
import { defaultCoupledChunk } from '../../src/engine/risk/defaultCoupledChunk.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import * as brink from '../../src/index.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { addScaled, dot, norm } from '../../src/linalg/vector.ts';
import { meanSquaredError } from '../../src/losses/meanSquaredError.ts';
import { verifyObjective } from '../../src/objectives/verifyObjective.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { asked, everyProbe } from '../helpers/everyProbe.ts';
import { normalizedNet, normalizedRisk, subset } from '../helpers/normalizedNet.ts';
import { stepAt } from '../helpers/stepAt.ts';

beforeAll(async () => {
  await openEngine((process.env.BRINK_ENGINE ?? 'wasm') as EngineName);
});

const M = paramCount(normalizedNet);
const weights = Float32Array.from(normals(generator(31), M));
const v = Float32Array.from(normals(generator(32), M));
const near = (a: ArrayLike<number>, b: ArrayLike<number>, relative: number) => {
  const error = Float64Array.from(a);
  addScaled(error, b as Float64Array, -1);
  expect(norm(error)).toBeLessThan(relative * norm(b as Float64Array));
};
/** The batch's own problem: its examples alone, all in one chunk. */
const own = async (n: number, batch: Iterable<number>) =>
  (await empiricalRisk({ model: normalizedNet, data: subset(n, batch), loss: meanSquaredError })).at(weights);

describe('L with batch normalisation', () => {
  it('has the gradient and the Hessian that differences show, for each partition', async () => {
    for (const chunk of [4, 6, 12]) {
      const objective = await normalizedRisk(12, chunk);
      const { passed, checks } = await verifyObjective(objective, { weights });
      expect(passed, JSON.stringify(checks)).toBe(true);
      expect(objective.metadata.chunk).toBe(chunk);
    }
  });

  it('is the mean over its chunks, each normalised over itself, so that two partitions make two of it', async () => {
    const parts = [await own(10, [0, 1, 2, 3]), await own(10, [4, 5, 6, 7]), await own(10, [8, 9])];
    const shares = [0.4, 0.4, 0.2];
    const whole = (await normalizedRisk(10, 4)).at(weights);
    const losses = await Promise.all(parts.map((part) => part.loss()));
    expect(await whole.loss()).toBeCloseTo(
      losses.reduce((sum, loss, k) => sum + loss * shares[k]!, 0),
      5,
    );
    const gradient = new Float64Array(M);
    const product = new Float64Array(M);
    for (const [k, part] of parts.entries()) {
      addScaled(gradient, await part.gradient(), shares[k]!);
      addScaled(product, (await part.hessianVector(v)).product, shares[k]!);
    }
    near(await whole.gradient(), gradient, 1e-5);
    near((await whole.hessianVector(v)).product, product, 1e-5);
    const other = (await normalizedRisk(10, 5)).at(weights);
    expect(Math.abs((await other.loss()) - (await whole.loss()))).toBeGreaterThan(1e-3);
  });

  it('takes all examples as one chunk where none is given and they fit', async () => {
    expect((await normalizedRisk(10)).metadata.chunk).toBe(10);
  });

  it('takes a batch as a problem of its own, in chunks where it is larger', async () => {
    const point = (await normalizedRisk(10, 4)).at(weights);
    const batch = Int32Array.of(7, 2, 9);
    const alone = await own(10, batch);
    const { loss, gradient } = await point.batchGradient(batch);
    expect(loss).toBeCloseTo(await alone.loss(), 5);
    near(gradient, await alone.gradient(), 1e-5);
    near(await point.batchHessianVector(batch, v), (await alone.hessianVector(v)).product, 1e-5);

    const [first, second] = [await own(10, [7, 2, 9, 0]), await own(10, [1, 3])];
    const large = await point.batchGradient(Int32Array.of(7, 2, 9, 0, 1, 3));
    expect(large.loss).toBeCloseTo((4 * (await first.loss()) + 2 * (await second.loss())) / 6, 5);
    expect(large.exampleLosses).toBeNull();
  });
});

/** Every set of b out of n. */
function combinations(n: number, b: number, from = 0): number[][] {
  if (b === 0) return [[]];
  return Array.from({ length: n - from }, (_, k) => from + k).flatMap((i) =>
    combinations(n, b - 1, i + 1).map((rest) => [i, ...rest]),
  );
}

/** A probe's rows at the weights. */
const rowsOf = async (objective: Objective, probe: OperatorFunction<Step, object>, more: Partial<StepData> = {}) => {
  const rows: object[] = await lastValueFrom(of(stepAt(weights, more, { objective })).pipe(probe, toArray()));
  return rows as Record<string, number>[];
};

describe('estimators that sample batches', () => {
  it('agree with the mean over all batches, each normalised over itself', async () => {
    const [n, b, draws] = [6, 3, 40];
    const objective = await normalizedRisk(n, n);
    const point = objective.at(weights);
    const full = await point.gradient();
    const truth = { S: 0, HS: 0, change: 0, sharpness: 0, direction: new Float64Array(M) };
    const batches = combinations(n, b);
    expect(batches).toHaveLength(20);
    for (const batch of batches) {
      const alone = await own(n, batch);
      const g = await alone.gradient();
      const square = dot(g, g);
      truth.S += square / 20;
      truth.HS += dot(g, (await point.hessianVector(g)).product) / 20;
      truth.change += ((await point.moved(g, -0.1).loss()) - (await point.loss())) / 20;
      truth.sharpness += dot(g, (await alone.hessianVector(g)).product) / square / 20;
      addScaled(truth.direction, g, 1 / Math.sqrt(square) / 20);
    }
    const within = (value: number, error: number, expected: number) => {
      expect(error).toBeGreaterThan(0);
      expect(Math.abs(value - expected)).toBeLessThan(4.5 * error);
    };
    const options = { batchSizes: [b], draws, seed: 3 };
    const [ias] = await rowsOf(objective, brink.interactionAwareSharpness({ ...options, estimator: 'batches' }));
    within(ias!.ias!, ias!.ias_standard_error!, truth.HS / truth.S);
    within(ias!.rho!, ias!.rho_standard_error!, dot(full, full) / truth.S);
    const [rho] = await rowsOf(objective, brink.gradientConcentration({ ...options, estimator: 'batches' }));
    within(rho!.rho!, rho!.rho_standard_error!, dot(full, full) / truth.S);
    const [change] = await rowsOf(objective, brink.expectedLossChange(options));
    within(change!.loss_change!, change!.loss_change_standard_error!, truth.change);
    const [sharpness] = await rowsOf(objective, brink.batchSharpness(options));
    within(sharpness!.batch_sharpness!, sharpness!.batch_sharpness_standard_error!, truth.sharpness);
    const [length] = await rowsOf(objective, brink.resultantLength(options));
    within(
      length!.resultant_length_squared!,
      length!.resultant_length_squared_standard_error!,
      dot(truth.direction, truth.direction),
    );
    const [glance] = await rowsOf(objective, brink.edge({ draws, seed: 3 }), { batchSize: b });
    within(glance!.ias!, glance!.ias_standard_error!, truth.HS / truth.S);
  });
});

/** How a coupled objective is asked. */
const options = { batchSizes: [2, 4], draws: 3, estimator: 'batches', tolerance: 0.1, steps: 8 };
/** Those that need gradients of single examples whatever the options, and what they say serves instead. */
const REFUSED: Record<string, string> = {
  scalingRule: "Measure ρ_b by gradientConcentration with estimator: 'batches'.",
  theoremOne: 'Use expectedLossChange, which samples batches.',
};

/** Those that need them for one of their estimators. */
const BY_OPTION = Object.fromEntries(
  ['expectedLossChange', 'gradientConcentration', 'interactionAwareSharpness'].map((name) => [
    name,
    "Use estimator: 'batches'.",
  ]),
);

describe('a probe of an objective with batch normalisation', () => {
  it.each([
    ['all examples', {}],
    ['batches', { batchSize: 4 }],
  ])('works on %s, with finite numbers, unless it is known to be refused', async (_name, batching) => {
    const working = everyProbe.filter(([name]) => !(name in REFUSED));
    expect(working.length + Object.keys(REFUSED).length).toBe(everyProbe.length);
    for (const [name, probe] of working) {
      const objective = await normalizedRisk(8, 4);
      const steps = gradientDescent(objective, { learningRate: 0.05, steps: 0, ...batching });
      const rows = await lastValueFrom(steps.pipe(asked(probe, options), toArray()));
      expect(rows.length, name).toBeGreaterThan(0);
      for (const row of rows) {
        for (const [column, value] of Object.entries(row)) {
          const numbers: unknown[] = [value].flat().filter((x) => typeof x === 'number');
          for (const x of numbers) expect(Number.isFinite(x), `${name}.${column} is ${x}`).toBe(true);
        }
      }
    }
  });

  it.each(Object.entries({ ...REFUSED, ...BY_OPTION }))(
    '%s is refused before a measurement where it needs single examples',
    async (name, instead) => {
      const objective = await normalizedRisk(8, 4);
      const probe = asked(probes[name]!, { batchSizes: [2, 4], estimator: 'examples' });
      const message = `${name}: it needs gradients of single examples, but batch normalisation makes the loss of one depend on the others. ${instead}`;
      await expect(rowsOf(objective, probe)).rejects.toThrow(message);
      const steps = of(stepAt(weights, {}, { objective }));
      const directory = join(tmpdir(), `brink-batchNorm-${process.pid}`);
      const running = brink.run(steps, { probe: (s) => s.pipe(probe) }, { directory, progress: false });
      await expect(running).rejects.toThrow(message);
      expect(existsSync(directory)).toBe(false);
      expect(objective.cost).toEqual({ forwards: 0, gradients: 0, products: 0 });
    },
  );

  it('for the whole batch needs none, and takes random signs for granted', async () => {
    const objective = await normalizedRisk(8, 4);
    expect(await rowsOf(objective, brink.interactionAwareSharpness())).toHaveLength(1);
  });

  it('refuses a batch of one example', async () => {
    const objective = await normalizedRisk(8, 4);
    const message = 'over one example there is nothing to normalise; take 2 at least.';
    for (const [name, probe] of everyProbe.filter(([, { declaration }]) => 'batchSizes' in declaration.options)) {
      const single = rowsOf(objective, asked(probe, { ...options, batchSizes: [4, 1] }));
      await expect(single).rejects.toThrow(
        `${name}: batchSizes[1] is 1. The model normalises over the batch, and ${message}`,
      );
    }
    expect(objective.cost).toEqual({ forwards: 0, gradients: 0, products: 0 });
    expect(() => gradientDescent(objective, { learningRate: 1, steps: 1, batchSize: 1 })).toThrow(message);
    const point = objective.at(weights);
    await expect(point.batchGradient(Int32Array.of(3))).rejects.toThrow(
      'empiricalRisk: a batch of 1 in chunks of 4 leaves one example alone. The model normalizedNet normalises over the chunk, and over one example there is nothing to normalise; take two at least.',
    );
    await expect(point.batchHessianVector(Int32Array.of(0, 1, 2, 3, 4), v)).rejects.toThrow(
      'a batch of 5 in chunks of 4',
    );
  });
});

describe('a partition that leaves one example alone', () => {
  it.each([
    [9, 4, 'empiricalRisk: a training set of 9 in chunks of 4 leaves one example alone.', 3],
    [129, 128, 'empiricalRisk: a training set of 129 in chunks of 128 leaves one example alone.', 65],
    [8, 1, 'empiricalRisk: a training set of 8 in chunks of 1 leaves one example alone.', 2],
    [7, 2, 'empiricalRisk: a training set of 7 in chunks of 2 leaves one example alone.', 7],
  ])('is refused with a better one: %d in chunks of %d', async (n, chunk, message, better) => {
    await expect(normalizedRisk(n, chunk)).rejects.toThrow(message);
    await expect(normalizedRisk(n, chunk)).rejects.toThrow(`choose a chunk without one over, such as ${better}.`);
    expect((await normalizedRisk(n, better)).metadata.chunk).toBe(better);
  });

  it('is refused in the test set when that is measured', async () => {
    const examples = (batch: number[]) => {
      const { inputs, targets } = subset(9, batch).train;
      return { inputs, targets };
    };
    const data = arrays({ inputShape: [3], ...examples([0, 1, 2, 3]), test: examples([4, 5, 6, 7, 8]) });
    const point = (await empiricalRisk({ model: normalizedNet, data, loss: meanSquaredError, chunk: 4 })).at(weights);
    expect(await point.loss()).toBeGreaterThan(0);
    await expect(point.performance('test')).rejects.toThrow('a test set of 5 in chunks of 4 leaves one example alone.');
  });

  it('is not chosen by how much memory there is: where not all examples fit, the user names the chunk', () => {
    expect(defaultCoupledChunk('risk', normalizedNet, 64, 64)).toBe(64);
    expect(() => defaultCoupledChunk('risk', normalizedNet, 1024, 68)).toThrow(
      'risk: the model normalizedNet normalises over the chunk, and no chunk is given. L belongs to the chunks into which the 1024 examples are cut, and about 68 fit on the device at once; name one, such as chunk: 64.',
    );
  });

  it('is refused where there is one example in all', async () => {
    await expect(normalizedRisk(1)).rejects.toThrow('a training set of 1 in chunks of 1 leaves one example alone.');
  });
});
