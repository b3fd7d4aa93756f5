import { from, lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { CataloguedProbe } from '../../src/catalogue/probes.ts';
import type { Objective } from '../../src/core/Objective.ts';
import type { StepData } from '../../src/core/StepData.ts';
import { edge } from '../../src/probes/edge.ts';
import { gradientConcentration } from '../../src/probes/gradientConcentration.ts';
import { scalingRule } from '../../src/probes/scalingRule.ts';
import { topEigenvalues } from '../../src/probes/topEigenvalues.ts';
import { type AnyRow, asked, everyProbe } from '../helpers/everyProbe.ts';
import { perExampleQuadratics } from '../helpers/perExampleQuadratics.ts';
import { stepAt } from '../helpers/stepAt.ts';

const diagonal = (...d: number[]) => d.map((x, i) => d.map((_, j) => (i === j ? x : 0)));
const pulls = [
  [1, 0, 2, -1],
  [0, 1, -1, 3],
  [-2, 1, 0, 1],
  [1, -3, 1, 0],
];
const balanced = [
  [1, 2, 0, 0],
  [-1, 0, 1, 0],
  [0, -2, -1, 1],
  [0, 0, 0, -1],
];
const theta = Float32Array.of(0.5, -1, 2, 0.3);
const zero = new Float32Array(4);

/** The rows of a probe at one point: for each batch of one example and of all, and as many eigenpairs as there are. */
function measure(probe: CataloguedProbe, objective: Objective, weights: Float32Array): Promise<AnyRow[]> {
  const { exampleCount: n, paramCount: m } = objective;
  const step = stepAt(weights, { batchLoss: 1 }, { objective });
  const options = { batchSizes: n === 1 ? [1] : [1, n], count: Math.min(2, m) };
  return lastValueFrom(from([step]).pipe(asked(probe, options), toArray()));
}
const notFinite = (rows: readonly AnyRow[]) =>
  rows.flatMap((row) =>
    Object.entries(row)
      .filter(([, value]) =>
        (typeof value === 'object' && value !== null ? Array.from(value as ArrayLike<unknown>) : [value]).some(
          (x) => typeof x === 'number' && !Number.isFinite(x),
        ),
      )
      .map(([name]) => name),
  );

describe.each<[string, Objective, Float32Array, Record<string, RegExp | readonly string[]>]>([
  [
    'a saddle whose examples differ in curvature',
    perExampleQuadratics(pulls.map((b, i) => ({ A: diagonal(3 - i, -2, i, -1), b }))),
    theta,
    {},
  ],
  [
    'an H with one eigenvalue, four times',
    perExampleQuadratics(pulls.map((b) => ({ A: diagonal(2, 2, 2, 2), b }))),
    theta,
    {},
  ],
  [
    'an H that is 0',
    perExampleQuadratics(pulls.map((b) => ({ A: diagonal(0, 0, 0, 0), b }))),
    theta,
    { alignment: ['cos_q1_gradient', 'abs_q1_gradient'] },
  ],
  ['one example', perExampleQuadratics([{ A: diagonal(3, 1, 0, -1), b: pulls[0]! }]), theta, {}],
  [
    'one parameter',
    perExampleQuadratics([
      { A: [[2]], b: [1] },
      { A: [[1]], b: [-1] },
    ]),
    Float32Array.of(0.5),
    { lossPlane: /one parameter/, planePath: /one parameter/ },
  ],
])('at %s', (_name, objective, weights, undefinedHere) => {
  it.each(everyProbe)('%s has a number in every column that is defined, or says what is wrong', async (name, probe) => {
    const rows = measure(probe, objective, weights);
    const expected = undefinedHere[name] ?? [];
    if (expected instanceof RegExp) await expect(rows).rejects.toThrow(expected);
    else expect(notFinite(await rows)).toEqual(expected);
  });
});

describe.each<[string, Objective]>([
  [
    'a stationary point where examples pull against each other',
    perExampleQuadratics(balanced.map((b) => ({ A: diagonal(3, 2, 1, -1), b }))),
  ],
  [
    'a point where every gradient is 0',
    perExampleQuadratics(balanced.map(() => ({ A: diagonal(3, 0, 0, 0), b: zero as never }))),
  ],
])('at %s', (_name, objective) => {
  it.each(everyProbe)('%s has rows, with NaN where it divides 0 by 0', async (_, probe) => {
    expect((await measure(probe, objective, zero)).length).toBeGreaterThan(0);
  });
});

it('where ∇L is 0 LSSR is linear, and without any gradient NaN beside the rules that need no ρ', async () => {
  const advice = (pulls: readonly number[][]) => {
    const objective = perExampleQuadratics(pulls.map((b) => ({ A: diagonal(3, 2, 1, -1), b })));
    const step = stepAt(zero, { batchSize: 1, learningRate: 0.1 }, { objective });
    return lastValueFrom(from([step]).pipe(scalingRule({ batchSizes: [2] })));
  };
  // (γ_{4,1}/1)/(γ_{4,2}/2) = 1/((2/3)/2) = 3.
  const noisy = await advice(balanced);
  expect(noisy).toMatchObject({ rho_1: 0, running_rho: 0, rho: 0, lsr: expect.closeTo(0.2, 9), knee: 4 });
  for (const name of ['lssr', 'lssr_low', 'lssr_high'] as const) expect(noisy[name]).toBeCloseTo(0.3, 6);
  const still = await advice([zero, zero, zero, zero].map((b) => [...b]));
  expect(still).toMatchObject({ lsr: expect.closeTo(0.2, 9), srsr: expect.closeTo(0.1 * Math.SQRT2, 9) });
  for (const name of ['rho_1', 'running_rho', 'rho', 'lssr', 'lssr_low', 'lssr_high', 'knee'] as const) {
    expect(still[name]).toBeNaN();
  }
});

it('where ∇L is 0 λ₁ and tr(S_b) have their values, and the verdict says what is so', async () => {
  const stationary = perExampleQuadratics(balanced.map((b) => ({ A: diagonal(3, 2, 1, -1), b })));
  const at = (more: Partial<StepData>) => from([stepAt(zero, more, { objective: stationary })]);
  const eigen = await lastValueFrom(at({}).pipe(topEigenvalues({ smallest: 1 })));
  expect(eigen.lambda_1).toBeCloseTo(3, 5);
  const concentration = gradientConcentration({ batchSizes: [1, 4], draws: 4 });
  const [single, full] = await lastValueFrom(at({}).pipe(concentration, toArray()));
  expect(single!.trace_S_b).toBeCloseTo((5 + 2 + 6 + 1) / 4, 5);
  expect(single!.rho).toBe(0);
  expect(full!.trace_S_b).toBe(0);
  const unstable = await lastValueFrom(at({ batchSize: 1 }).pipe(edge()));
  // E L_{t+1} − L_t = (η²/2) tr(HS_1) > 0.
  expect(unstable).toMatchObject({ verdict: 'unstable', interaction: Number.POSITIVE_INFINITY });
  const still = await lastValueFrom(at({ batchSize: 4 }).pipe(edge()));
  expect(still).toMatchObject({ verdict: 'stationary', ias_gd: Number.NaN });
});

it('a warm-up that begins at η = 0 ends no branch of the scaling rule, and counts in its sums', async () => {
  const objective = perExampleQuadratics(pulls.map((b, i) => ({ A: diagonal(3 - i, -2, i, -1), b })));
  const steps = [0, 0.1].map((learningRate, index) =>
    stepAt(
      theta.map((w) => w + index),
      { index, learningRate, batchSize: 2 },
      { objective },
    ),
  );
  const rows = await lastValueFrom(from(steps).pipe(scalingRule({ batchSizes: [1] }), toArray()));
  expect(rows).toMatchObject([{ step: 1, running_from: 0, lsr: 0.05 }]);
});
