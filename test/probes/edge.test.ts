import { lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { toy } from '../../src/objectives/quadratic.ts';
import { edge } from '../../src/probes/edge.ts';
import { type EdgeState, verdict } from '../../src/theory/verdict.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';

const state: EdgeState = {
  edge: 10,
  lambda1: 5,
  previousLambda1: 6,
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
