import { lastValueFrom, of, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { StepData } from '../../src/core/StepData.ts';
import { quadratic, toy } from '../../src/objectives/quadratic.ts';
import { edge } from '../../src/probes/edge.ts';
import { interactionAwareSharpness } from '../../src/probes/interactionAwareSharpness.ts';
import { type EdgeState, verdict } from '../../src/theory/verdict.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { perExampleQuadratics } from '../helpers/perExampleQuadratics.ts';
import { regression } from '../helpers/regression.ts';
import { stepAt } from '../helpers/stepAt.ts';

const state: EdgeState = {
  edge: 10,
  lambda1: 5,
  previousLambda1: 6,
  lambda1Error: 0.01,
  interaction: 3,
  standardError: 0,
  traceS: 1,
  fullBatch: false,
};

describe('the verdict', () => {
  it.each<[Partial<EdgeState>, string]>([
    [{}, 'stable'],
    [{ previousLambda1: null }, 'stable'],
    [{ previousLambda1: 4 }, 'progressive sharpening'],
    [{ previousLambda1: 4.995 }, 'stable'],
    [{ interaction: 9.5 }, 'at the edge'],
    [{ interaction: 10.9 }, 'at the edge'],
    [{ interaction: 14 }, 'unstable'],
    [{ interaction: 14, standardError: 2 }, 'at the edge'],
    [{ lambda1: 11, previousLambda1: 9 }, 'progressive sharpening'],
    [{ lambda1: 11, fullBatch: true }, 'at the edge'],
    [{ interaction: Number.NaN, traceS: 0 }, 'stationary'],
    [{ interaction: Number.NaN }, 'unknown'],
  ])('on %o is %s', (change, expected) => {
    const given = verdict({ ...state, ...change }, 0.1);
    expect(given.verdict).toBe(expected);
    expect(given.rule).toMatch(/tr\(HS_b\)\/tr\(S_n\)|λ₁/);
  });

  it('says of λ₁ no more than is known', () => {
    const rule = (change: Partial<EdgeState>) => verdict({ ...state, ...change }, 0.1).rule;
    expect(rule({})).toBe('tr(HS_b)/tr(S_n) is 0.300 of the edge, and λ₁ has not risen');
    expect(rule({ previousLambda1: null })).toMatch('and there is no λ₁ before it to compare');
    expect(rule({ lambda1: 11, previousLambda1: 9 })).toBe(
      'λ₁ has risen by 2.0 to 11.00, and tr(HS_b)/tr(S_n) is 0.300 of the edge',
    );
  });
});

it('a Hessian that stays as it is has no sharpening, however its λ₁ is rounded', async () => {
  const A = Array.from({ length: 20 }, (_, i) =>
    Array.from({ length: 20 }, (_, j) => (i === j ? 10 * Math.exp(-i / 4) : Math.cos(7 * (i + j)) / 5)),
  );
  const steps = gradientDescent(quadratic({ A, b: A.map((_, i) => Math.sin(i)) }), { learningRate: 0.1, steps: 20 });
  for (const options of [{}, { deflate: 1 }, { tolerance: 0.1 }]) {
    const rows = await lastValueFrom(steps.pipe(edge(options), toArray()));
    expect(new Set(rows.map(({ verdict }) => verdict))).toEqual(new Set(['stable']));
    expect(rows.some(({ lambda_1 }, k) => k > 0 && lambda_1 > rows[k - 1]!.lambda_1)).toBe(true);
  }
});

it('the toy of Figure 22 stands at the edge from the start, and becomes unstable as its gradient turns', async () => {
  const objective = toy(1.3);
  const rows = await lastValueFrom(
    gradientDescent(objective, { learningRate: 2 / 32, steps: 30, initialWeights: Float32Array.of(3, 0.001) }).pipe(
      edge(),
      toArray(),
    ),
  );
  const verdicts = rows.map((row) => row.verdict);
  expect(new Set(verdicts)).toEqual(new Set(['at the edge', 'unstable']));
  expect(verdicts[0]).toBe('at the edge');
  expect(verdicts.indexOf('unstable')).toBeGreaterThan(5);
  expect(verdicts.lastIndexOf('at the edge')).toBeLessThan(verdicts.indexOf('unstable') + 3);
  for (const row of rows) {
    expect(row.batch_sharpness).toBeCloseTo(row.ias_gd, 4);
    expect(row.ias).toBe(row.ias_gd);
    expect(row.bound).toBe(row.edge);
  }
});

describe('beside the paper', () => {
  const at = async (more: Partial<StepData>, objective = regression()) => {
    const step = stepAt(objective.initialWeights(1), { learningRate: 0.1, batchSize: 4, ...more }, { objective });
    return (await lastValueFrom(of(step).pipe(edge(), toArray())))[0]!;
  };

  it.each<[string, Partial<StepData>, number | null, number | null, number]>([
    ['SGD', {}, 20, 20, 20],
    ["SGD with Polyak's momentum", { beta1: 0.9 }, 2, 38, 38],
    ["SGD with Nesterov's", { beta1: 0.9, beta2: 0.9 }, null, null, 38 / 2.8],
    ['the full batch', { beta1: 0.9, batchSize: 12 }, null, null, 38],
  ])('the lines for the batch sharpness of %s stand where they are said to', async (_, more, small, large, limit) => {
    const row = await at(more);
    if (small === null) expect(row).toMatchObject({ small_batch_line: null, large_batch_line: null });
    else {
      expect(row.small_batch_line).toBeCloseTo(small, 9);
      expect(row.large_batch_line).toBeCloseTo(large!, 9);
    }
    expect(row.edge).toBeCloseTo(limit, 9);
  });

  it('has the numbers of interactionAwareSharpness with the same draws', async () => {
    const objective = regression();
    const step = stepAt(objective.initialWeights(1), { learningRate: 0.1, batchSize: 4 }, { objective });
    const glance = await at({});
    const probe = interactionAwareSharpness({ batchSizes: [4] });
    const [sharpness] = await lastValueFrom(of(step).pipe(probe, toArray()));
    for (const column of [
      'learning_rate_over_optimum',
      'learning_rate_over_optimum_standard_error',
      'noise_scale',
      'noise_scale_standard_error',
      'noise_scale_hessian',
      'noise_scale_hessian_standard_error',
      'noise_along_q1',
    ] as const) {
      expect(glance[column]).toBe(sharpness![column]);
      expect(glance[column]).toBeGreaterThanOrEqual(0);
    }
    expect(glance.learning_rate_over_optimum).toBeCloseTo((2 * glance.interaction) / glance.edge, 12);
  });

  it('has no B_H where ∇LᵀH∇L is 0 to rounding, and has one as soon as it is not', async () => {
    const saddle = perExampleQuadratics(
      [1, -1, 2, 0].map((pull) => ({
        A: [
          [1, 0],
          [0, -1],
        ],
        b: [pull, 0.5],
      })),
    );
    const row = async (x: number) => {
      const step = stepAt(Float32Array.of(x, 0), { batchSize: 2 }, { objective: saddle });
      return (await lastValueFrom(of(step).pipe(edge({ deflate: 1 }), toArray())))[0]!;
    };
    // ∇L = (x + .5, .5).
    const balanced = await row(0);
    expect(balanced).toMatchObject({ noise_scale_hessian: null, noise_scale_hessian_standard_error: null });
    expect(balanced.noise_scale).toBeGreaterThan(0);
    const [above, below] = [await row(1e-3), await row(-1e-3)];
    expect(above.noise_scale_hessian).not.toBeNull();
    expect(Math.sign(above.noise_scale_hessian!) * Math.sign(below.noise_scale_hessian!)).toBe(-1);
  });
});
