import { from, lastValueFrom, type OperatorFunction, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { HessianProduct, Objective } from '../../src/core/Objective.ts';
import { openStep, type Step } from '../../src/core/Step.ts';
import type { Directions } from '../../src/core/usualOptions.ts';
import { extremeEigenpairs } from '../../src/linalg/eigenpairs.ts';
import { generator, normals, signs } from '../../src/linalg/random.ts';
import { dot, mean } from '../../src/linalg/vector.ts';
import { createObjective } from '../../src/objectives/createObjective.ts';
import { leastSquares } from '../../src/objectives/leastSquares.ts';
import { quadratic, toy } from '../../src/objectives/quadratic.ts';
import { alignment } from '../../src/probes/alignment.ts';
import { batchSharpness } from '../../src/probes/batchSharpness.ts';
import { edge } from '../../src/probes/edge.ts';
import { expectedLossChange } from '../../src/probes/expectedLossChange.ts';
import { gradientConcentration } from '../../src/probes/gradientConcentration.ts';
import { hessianTrace } from '../../src/probes/hessianTrace.ts';
import { interactionAwareSharpness } from '../../src/probes/interactionAwareSharpness.ts';
import { lossPlane } from '../../src/probes/lossPlane.ts';
import { lossSlice } from '../../src/probes/lossSlice.ts';
import { resultantLength } from '../../src/probes/resultantLength.ts';
import { scalingRule } from '../../src/probes/scalingRule.ts';
import { spectralDensity } from '../../src/probes/spectralDensity.ts';
import { theoremOne } from '../../src/probes/theoremOne.ts';
import { topEigenvalues } from '../../src/probes/topEigenvalues.ts';
import { samplingCoefficient } from '../../src/theory/samplingCoefficient.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';
import { stepAt } from '../helpers/stepAt.ts';
import { withoutExampleNorms } from '../helpers/withoutExampleNorms.ts';

async function rowsOf<R>(objective: Objective, probe: OperatorFunction<Step, R>, weights: Float32Array, batchSize = 2) {
  const step = stepAt(weights, { learningRate: 0.1, batchSize }, { objective });
  return lastValueFrom(from([step]).pipe(probe, toArray()));
}

/** tr(HS_b)/tr(S_b) from single examples, one after the other. */
async function bySingles(objective: Objective, weights: Float32Array, b: number) {
  const point = objective.at(weights);
  const n = objective.exampleCount;
  const traces = async (g: Float32Array) => [dot(g, g), dot(g, (await point.hessianVector(g)).product)] as const;
  const [S, HS] = await traces(await point.gradient());
  const singles: (readonly [number, number])[] = [];
  for (let i = 0; i < n; i++) singles.push(await traces((await point.batchGradient(Int32Array.of(i))).gradient));
  const share = samplingCoefficient(n, b, false) / b;
  const within = (k: 0 | 1, whole: number) => whole + share * (mean(singles.map((s) => s[k])) - whole);
  return within(1, HS) / within(0, S);
}

describe('gradient noise within the directions that are done exactly', () => {
  it.each([1, 2, 3])('leaves the sharpness of %d parameters without an error', async (m) => {
    const objective = regression(20, m);
    const weights = Float32Array.from(normals(generator(m), m));
    for (const draws of [4, 16]) {
      const probe = interactionAwareSharpness({ batchSizes: [2], draws, deflate: m });
      const [row] = await rowsOf(objective, probe, weights);
      expect(row!.ias / (await bySingles(objective, weights, 2))).toBeCloseTo(1, 5);
    }
  });

  it('is seen by the verdict too: at ∇L = 0 batches move in a sharp direction', async () => {
    const objective = leastSquares({
      X: [
        [1, 0],
        [1, 0],
        [0, 2],
        [0, 2],
      ],
      y: [1, -1, 1, -1],
    });
    const [row] = await rowsOf(objective, edge(), new Float32Array(2), 1);
    expect(row).toMatchObject({ interaction: Number.POSITIVE_INFINITY, verdict: 'unstable' });
  });
});

it('examples that all have one gradient are concentrated to 1, and no more', async () => {
  for (let seed = 0; seed < 6; seed++) {
    const [x] = [Array.from(normals(generator(seed), 3))];
    const objective = leastSquares({ X: [x!, x!, x!], y: [1, 1, 1] });
    const weights = objective.initialWeights(seed);
    const [concentrated] = await rowsOf(objective, gradientConcentration(), weights);
    expect(concentrated!.rho).toBeLessThanOrEqual(1);
    expect(concentrated).toMatchObject({ rho: expect.closeTo(1, 6), rho_standard_error: 0 });
    const [rate] = await rowsOf(objective, scalingRule({ batchSizes: [1] }), weights);
    expect(rate!.lssr).toBeCloseTo(0.1, 6);
  }
});

describe('an error of 0 is said only of what is exact, however few the examples and the draws', () => {
  const [n, b, eta] = [3, 1, 0.1];
  const objective = leastSquares({
    X: [
      [1, 0.2],
      [-0.5, 2],
      [0.6, -1],
    ],
    y: [1, -1, 0.5],
  });
  const weights = Float32Array.of(0.4, -0.7);
  const unknown = withoutExampleNorms(objective);

  /** The mean over all batches of one example. */
  async function exactly() {
    const point = objective.at(weights);
    const [full, loss] = [await point.gradient(), await point.loss()];
    const singles: { S: number; HS: number; sharpness: number; change: number; unit: Float32Array }[] = [];
    for (let i = 0; i < n; i++) {
      const { gradient } = await point.batchGradient(Int32Array.of(i));
      const size = dot(gradient, gradient);
      singles.push({
        S: size,
        HS: dot(gradient, (await point.hessianVector(gradient)).product),
        sharpness: dot(gradient, await point.batchHessianVector(Int32Array.of(i), gradient)) / size,
        unit: gradient.map((g) => g / Math.sqrt(size)),
        change: (await point.moved(gradient, -eta).loss()) - loss,
      });
    }
    const over = (key: 'S' | 'HS' | 'sharpness' | 'change') => mean(singles.map((s) => s[key]));
    const direction = [0, 1].map((k) => mean(singles.map(({ unit }) => unit[k]!)));
    const [S, HS, Sn] = [over('S'), over('HS'), dot(full, full)];
    return {
      ...{ trace_S_b: S, trace_H_S_b: HS, ias: HS / S, rho: Sn / S, rho_1: Sn / S, interaction: HS / Sn },
      ...{ noise_scale: S / Sn - 1, batch_sharpness: over('sharpness'), loss_change: over('change') },
      ...{ resultant_length_squared: dot(Float64Array.from(direction), Float64Array.from(direction)) },
      trace_H: mean([1.04, 4.25, 1.36]),
    } as Record<string, number>;
  }

  const batchSizes = [b];
  const own = { batchSizes, deflate: 0, draws: 2 };
  it.each<[string, (seed: number) => OperatorFunction<Step, object>, readonly string[]]>([
    ['sharpness by signs', (seed) => interactionAwareSharpness({ ...own, on: unknown, seed }), ['ias', 'trace_S_b']],
    ['sharpness with norms', (seed) => interactionAwareSharpness({ ...own, seed }), ['ias', 'interaction']],
    [
      'sharpness by batches',
      (seed) => interactionAwareSharpness({ ...own, estimator: 'batches', seed }),
      ['ias', 'rho', 'noise_scale', 'trace_H_S_b'],
    ],
    ['ρ by signs', (seed) => gradientConcentration({ batchSizes, draws: 2, on: unknown, seed }), ['rho']],
    ['the scaling rule', (seed) => scalingRule({ batchSizes, draws: 2, on: unknown, seed }), ['rho_1']],
    ['batch sharpness', (seed) => batchSharpness({ batchSizes, draws: 2, seed }), ['batch_sharpness']],
    ['the loss change', (seed) => expectedLossChange({ batchSizes, draws: 2, seed }), ['loss_change']],
    [
      'the resultant length',
      (seed) => resultantLength({ batchSizes, draws: 3, on: unknown, seed }),
      ['resultant_length_squared'],
    ],
    ['the trace of H', (seed) => hessianTrace({ deflate: 0, draws: 2, seed }), ['trace_H']],
  ])('%s', async (_name, probe, columns) => {
    const truth = await exactly();
    let unknowns = 0;
    for (let seed = 0; seed < 60; seed++) {
      const [row] = (await rowsOf(objective, probe(seed), weights, b)) as [Record<string, number>];
      for (const column of columns) {
        const [value, error] = [row[column]!, row[`${column}_standard_error`]!];
        if (Number.isNaN(error)) unknowns++;
        else if (error < 1e-6 * Math.abs(value)) expect(value / truth[column]!, column).toBeCloseTo(1, 4);
      }
    }
    // Two draws of one of three examples are the same in a third of cases.
    expect(unknowns / columns.length).toBeGreaterThan(0);
    expect(unknowns / columns.length).toBeLessThan(40);
  });

  it('the spectral density', async () => {
    const A = [
      [3, 1],
      [1, 3],
    ];
    const tilted = quadratic({ A });
    let unknowns = 0;
    for (let seed = 0; seed < 60; seed++) {
      const rows = await rowsOf(tilted, spectralDensity({ draws: 2, points: 20, width: 0.1, seed }), weights, b);
      for (const { eigenvalue, density, density_standard_error: error, width } of rows) {
        const seen = (of: number) =>
          Math.exp(-(((eigenvalue - of) / width) ** 2) / 2) / (width * Math.sqrt(2 * Math.PI));
        if (Number.isNaN(error)) unknowns++;
        else if (error < 1e-6) expect(density).toBeCloseTo((seen(2) + seen(4)) / 2, 4);
      }
    }
    // Two signs are the same, up to both, in half of cases.
    expect(unknowns / 20).toBeGreaterThan(15);
    expect(unknowns / 20).toBeLessThan(45);
  });

  it('the verdict is unknown where the error is', async () => {
    const verdicts = [];
    for (let seed = 0; seed < 60; seed++) {
      const [row] = await rowsOf(objective, edge({ on: unknown, draws: 2, deflate: 1, seed }), weights, b);
      verdicts.push([Number.isNaN(row!.interaction_standard_error), row!.verdict === 'unknown']);
    }
    expect(verdicts.filter(([isOpen, isUnknown]) => isOpen !== isUnknown)).toEqual([]);
    expect(verdicts.filter(([isOpen]) => isOpen).length).toBeGreaterThan(0);
  });

  it('of one example every batch is all of it, and nothing is drawn', async () => {
    const single = leastSquares({ X: [[1, 2]], y: [1] });
    const probe = interactionAwareSharpness({ batchSizes: [1], replacement: true, deflate: 0 });
    const [row] = await rowsOf(single, probe, weights, 1);
    expect(row).toMatchObject({ ias_standard_error: 0, draws: 0, rho: 1 });
  });
});

it('Theorem 1 holds for the full batch, which is no sample', async () => {
  const objective = regression(7, 4);
  const rows = await rowsOf(objective, theoremOne({ batchSizes: [7] }), objective.initialWeights(1));
  for (const row of rows) expect(row).toMatchObject({ share_above: 0, share_below: 0, next_loss_std: 0, draws: 0 });
});

it('the predicted change is (η²/2) tr(HS_b) where ∇L = 0', async () => {
  const objective = leastSquares({ X: [[1], [1]], y: [1, -1] });
  const [row] = await rowsOf(objective, expectedLossChange({ batchSizes: [1] }), new Float32Array(1), 1);
  expect(row!.predicted_change).toBeCloseTo(0.1 ** 2 / 2, 8);
  expect(row!.loss_change).toBeCloseTo(row!.predicted_change, 8);
});

it('the loss plane stands where the gradient is along q₁, as on the toy of Figure 22', async () => {
  const steps = gradientDescent(toy(1.1), { learningRate: 2 / 32, steps: 60, initialWeights: Float32Array.of(3, 0.1) });
  const rows = await lastValueFrom(steps.pipe(lossPlane({ coordinates: [0, 1] }), toArray()));
  expect(rows).toHaveLength(61 * 4);
  const plane = rowsOf(regression(4, 1), lossPlane({ coordinates: [0, 1] }), new Float32Array(1));
  await expect(plane).rejects.toThrow(/^lossPlane: there is one parameter\./);
});

it('a sharpest direction that no pair saw is found within ten searches', async () => {
  const m = 60;
  const gradient = Float32Array.from({ length: m }, (_, k) => (k === m - 1 ? 3 : 1));
  /** Diagonal: the last entry rises, and all but it stays. */
  const apply =
    (sharp: number) =>
    async (v: Float32Array): Promise<HessianProduct> => ({
      product: v.map((x, k) => x * (k === m - 1 ? sharp : 10 / (k + 1))),
      projections: null,
    });
  let nearby: Awaited<ReturnType<typeof extremeEigenpairs>>['model'] | null = null;
  const found: number[] = [];
  for (let t = 0; t < 12; t++) {
    const H = apply(t < 2 ? 0 : 20);
    const known = async () => (t === 0 ? [] : [{ vector: gradient, ...(await H(gradient)) }]);
    const options = { who: 'test', dimension: m, count: 1, end: 'largest' as const, tolerance: 1e-4, maxProducts: 100 };
    const search = await extremeEigenpairs(H, { ...options, nearby, known, seed: 0 });
    nearby = search.model;
    found.push(search.pairs[0]!.value);
  }
  expect(found[0]).toBeCloseTo(10, 3);
  expect(found.at(-1)).toBeCloseTo(20, 3);
});

it('signs of a draw do not go together', () => {
  const draws = 20_000;
  const sums = new Float64Array(64 * 64);
  for (let k = 0; k < draws; k++) {
    const z = signs(generator(5, 7, k), 64);
    for (let i = 0; i < 64; i++) for (let j = 0; j < i; j++) sums[64 * i + j]! += z[i]! * z[j]!;
  }
  // 2016 pairs: the largest of so many normal numbers is 3.5 to 4.5.
  expect(Math.max(...sums.map(Math.abs)) / Math.sqrt(draws)).toBeLessThan(5);
});

it('where H maps q₁ to 0 no direction is sharp, and alignment has no number for one', async () => {
  const objective = quadratic({ A: [0, 0, 0].map(() => [0, 0, 0]), b: [1, 2, 2] });
  const velocity = Float32Array.of(1, 0, 0);
  const steps = [0, 1].map((index) => stepAt(Float32Array.of(index, 0, 0), { index, velocity }, { objective }));
  const rows = await lastValueFrom(from(steps).pipe(alignment(), toArray()));
  const none = { cos_q1_gradient: NaN, abs_q1_gradient: NaN, cos_q1_velocity: NaN, abs_q1_velocity: NaN };
  expect(rows).toEqual([
    { step: 0, previous_step: null, gradient_norm: 3, cos_gradient_previous: null, cos_q1_previous: null, ...none },
    { step: 1, previous_step: 0, gradient_norm: 3, cos_gradient_previous: 1, cos_q1_previous: NaN, ...none },
  ]);
});

describe('a product with the Hessian that is not finite', () => {
  const broken = (): Objective =>
    createObjective({
      name: 'broken',
      paramCount: 3,
      exampleCount: 1,
      coupled: false,
      metadata: {},
      initialWeights: () => new Float32Array(3),
      performance: async () => ({ loss: 1, accuracy: null, exampleLosses: null }),
      lossAndGradient: async () => ({
        loss: 1,
        accuracy: null,
        exampleLosses: null,
        gradient: Float32Array.of(1, 0, 0),
      }),
      hessianVector: async (_, v) => ({ product: v.map((x, k) => (k === 2 ? Number.NaN : x)), projections: null }),
      weightedGradient: async () => new Float32Array(3),
    });

  it.each<[string, OperatorFunction<Step, object>]>([
    ['spectralDensity', spectralDensity()],
    ['topEigenvalues', topEigenvalues()],
    ['alignment', alignment()],
    ['edge', edge()],
    ['hessianTrace', hessianTrace()],
  ])('ends %s with an error that says so, and never looks like a number', async (name, probe) => {
    await expect(rowsOf(broken(), probe, new Float32Array(3), 1)).rejects.toThrow(
      `${name}: step 0 could not be measured. ${name}: a product with the Hessian is not finite. `,
    );
  });
});

it('the expected change is judged by the edge of the plain step, also where training has momentum', async () => {
  const objective = regression();
  const steps = gradientDescent(objective, { learningRate: 0.1, steps: 3, batchSize: 4, beta1: 0.9, beta2: 0.9 });
  const rows = await lastValueFrom(steps.pipe(expectedLossChange({ batchSizes: [4, 12] }), toArray()));
  expect(rows).toHaveLength(8);
  for (const row of rows) {
    expect(row.plain_edge).toBe(20);
    expect('edge' in row).toBe(false);
    const predicted = (0.1 ** 2 / 2) * (row.interaction - row.plain_edge);
    expect((row.normalized_change - row.residual) / predicted).toBeCloseTo(1, 6);
  }
  const [glance] = await lastValueFrom(steps.pipe(batchSharpness({ batchSizes: [4] }), toArray()));
  expect(glance!.edge).toBeCloseTo((20 * 1.9) / 2.8, 9);
});

it('the batches of a run are looked for in an objective that is as large', async () => {
  const { step } = openStep({ index: 0, weights: new Float32Array(5), batchSize: 12, learningRate: 0.1 });
  for (const probe of [edge({ on: regression(7) }), scalingRule({ on: regression(7), batchSizes: [1] })]) {
    const rows = lastValueFrom(from([step]).pipe(probe as OperatorFunction<Step, object>));
    await expect(rows).rejects.toThrow(/step 0 could not be measured\. .*\b12\b.*\b7\b/);
  }
});

describe('options that contradict each other', () => {
  it.each<[string, () => unknown, string]>([
    ['maxDraws below draws', () => hessianTrace({ draws: 8, maxDraws: 7 }), 'hessianTrace: maxDraws is 7.'],
    ['maxDraws below the default of draws', () => hessianTrace({ maxDraws: 15 }), 'hessianTrace: maxDraws is 15.'],
    [
      'the same of interactionAwareSharpness',
      () => interactionAwareSharpness({ maxDraws: 15 }),
      'interactionAwareSharpness: maxDraws is 15.',
    ],
    ['maxCount below count', () => topEigenvalues({ count: 3, maxCount: 2 }), 'topEigenvalues: maxCount is 2.'],
    [
      'no α at all',
      () => lossSlice({ alphas: [], directional: [] }),
      'lossSlice: alphas and directional are both empty.',
    ],
  ])('are refused at the call: %s', (_, call, message) => {
    expect(call).toThrow(message);
  });

  it('but draws may be more than the default of maxDraws, and count more than that of maxCount', async () => {
    const objective = regression(4, 12);
    const weights = objective.initialWeights(1);
    const [traces] = await rowsOf(objective, hessianTrace({ draws: 257, targetError: 1e-9, deflate: 0 }), weights);
    expect(traces!.draws).toBe(257);
    const [eigen] = await rowsOf(objective, topEigenvalues({ count: 12, grow: 0.01 }), weights);
    expect(eigen!.eigenvalues).toHaveLength(12);
  });

  it('a slice may have no α but those of the directional sharpness, and none of these', async () => {
    const objective = regression();
    const weights = objective.initialWeights(1);
    const only = await rowsOf(objective, lossSlice({ alphas: [], directional: [1, 0.5] }), weights);
    expect(only.map(({ alpha, directional_sharpness: d }) => [alpha, d !== null])).toEqual([
      [0.5, true],
      [1, true],
    ]);
    const none = await rowsOf(objective, lossSlice({ alphas: [1], directional: [] }), weights);
    expect(none).toMatchObject([{ alpha: 1, directional_sharpness: null }]);
  });
});

it.each<[string, Directions, string]>([
  ['parallel', [Float32Array.of(1, 2), Float32Array.of(2, 4)], 'the two directions are parallel, or one is zero.'],
  ['zero', [Float32Array.of(1, 2), Float32Array.of(0, 0)], 'the two directions are parallel, or one is zero.'],
  [
    'of another length',
    [Float32Array.of(1, 2), Float32Array.of(0, 1, 0)],
    'direction 2 has 3 entries. It must have 2.',
  ],
])('directions of a plane that are %s are refused with the step', async (_, directions, message) => {
  const plane = lossPlane({ coordinates: [0, 1], directions: async () => directions });
  await expect(rowsOf(toy(), plane, Float32Array.of(1, 1))).rejects.toThrow(
    `lossPlane: step 0 could not be measured. lossPlane: ${message}`,
  );
});
