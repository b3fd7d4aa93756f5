import { from, lastValueFrom, type OperatorFunction, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Objective } from '../../src/core/Objective.ts';
import type { Step } from '../../src/core/Step.ts';
import * as brink from '../../src/index.ts';
import { perExampleQuadratics } from '../helpers/perExampleQuadratics.ts';
import { stepAt } from '../helpers/stepAt.ts';

type AnyRow = Readonly<Record<string, unknown>>;
// biome-ignore lint/suspicious/noExplicitAny: rows of every shape
type AnyProbe = (objective: Objective) => OperatorFunction<Step, any>;

const sizes = ({ exampleCount: n }: Objective) => ({ batchSizes: n === 1 ? [1] : [1, n], draws: 4 });
/** Every probe that the package exports, by its name. */
const PROBES: Record<string, AnyProbe> = {
  alignment: (o) => brink.alignment(o),
  batchSharpness: (o) => brink.batchSharpness(o, sizes(o)),
  edge: (o) => brink.edge(o),
  expectedLossChange: (o) => brink.expectedLossChange(o, sizes(o)),
  gradientConcentration: (o) => brink.gradientConcentration(o, sizes(o)),
  hessianTrace: (o) => brink.hessianTrace(o),
  interactionAwareSharpness: (o) => brink.interactionAwareSharpness(o, sizes(o)),
  lossPlane: (o) => brink.lossPlane(o, { coordinates: [-1, 0, 1] }),
  lossSlice: (o) => brink.lossSlice(o),
  resultantLength: (o) => brink.resultantLength(o, sizes(o)),
  scalingRule: (o) => brink.scalingRule(o, { batchSizes: sizes(o).batchSizes }),
  spectralDensity: (o) => brink.spectralDensity(o, { draws: 2, points: 5 }),
  theoremOne: (o) => brink.theoremOne(o, { ...sizes(o), signDraws: 3 }),
  topEigenvalues: (o) => brink.topEigenvalues(o, { smallest: 1 }),
  trainingLoss: (o) => brink.trainingLoss(o),
};

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

const measure = (probe: AnyProbe, objective: Objective, weights: Float32Array): Promise<AnyRow[]> =>
  lastValueFrom(from([stepAt(weights, { learningRate: 0.1, batchLoss: 1 })]).pipe(probe(objective), toArray<AnyRow>()));
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

it('every probe is here', () => {
  const exported = Object.entries(brink).filter(([, value]) => typeof value === 'function' && 'table' in value);
  expect(Object.keys(PROBES).sort()).toEqual(exported.map(([name]) => name).sort());
});

describe.each<[string, Objective, Float32Array, Record<string, RegExp>]>([
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
  ['an H that is 0', perExampleQuadratics(pulls.map((b) => ({ A: diagonal(0, 0, 0, 0), b }))), theta, {}],
  ['one example', perExampleQuadratics([{ A: diagonal(3, 1, 0, -1), b: pulls[0]! }]), theta, {}],
  [
    'one parameter',
    perExampleQuadratics([
      { A: [[2]], b: [1] },
      { A: [[1]], b: [-1] },
    ]),
    Float32Array.of(0.5),
    { lossPlane: /one parameter/ },
  ],
])('at %s', (_name, objective, weights, refused) => {
  it.each(Object.entries(PROBES))('%s has a number in every column, or says what is wrong', async (name, probe) => {
    const rows = async () => measure(probe, objective, weights);
    if (refused[name]) await expect(rows()).rejects.toThrow(refused[name]);
    else expect(notFinite(await rows())).toEqual([]);
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
  it.each(Object.entries(PROBES))(
    '%s has rows, with NaN where it divides 0 by 0, or says what is wrong',
    async (name, probe) => {
      const rows = measure(probe, objective, zero);
      if (name === 'scalingRule') await expect(rows).rejects.toThrow(/step 0 .*rho is (0|NaN)/);
      else expect((await rows).length).toBeGreaterThan(0);
    },
  );
});

it('where ∇L is 0 λ₁ and tr(S_b) have their values, and the verdict says what is so', async () => {
  const stationary = perExampleQuadratics(balanced.map((b) => ({ A: diagonal(3, 2, 1, -1), b })));
  const [eigen] = await measure(PROBES.topEigenvalues!, stationary, zero);
  expect(eigen!.lambda_1).toBeCloseTo(3, 5);
  const [single, full] = await measure(PROBES.gradientConcentration!, stationary, zero);
  expect(single!.trace_S_b).toBeCloseTo((5 + 2 + 6 + 1) / 4, 5);
  expect(single!.rho).toBe(0);
  expect(full!.trace_S_b).toBe(0);
  const sgd = stepAt(zero, { learningRate: 0.1, batchSize: 1 });
  const [unstable] = await lastValueFrom(from([sgd]).pipe(brink.edge(stationary), toArray()));
  // E L_{t+1} − L_t = (η²/2) tr(HS_1) > 0.
  expect(unstable).toMatchObject({ verdict: 'unstable', interaction: Number.POSITIVE_INFINITY });
  const gd = stepAt(zero, { learningRate: 0.1, batchSize: 4 });
  const [still] = await lastValueFrom(from([gd]).pipe(brink.edge(stationary), toArray()));
  expect(still).toMatchObject({ verdict: 'stationary', ias_gd: Number.NaN });
});
