import { describe, expect, it } from 'vitest';
import { createObjective } from '../../src/objectives/createObjective.ts';
import type { Derivatives } from '../../src/objectives/Derivatives.ts';
import { toy } from '../../src/objectives/quadratic.ts';
import { verifyObjective } from '../../src/objectives/verifyObjective.ts';
import { regression } from '../helpers/regression.ts';

/** L(θ) = Σ_k cosh(θ_k) as two equal examples, with one derivative to be spoiled. */
function bowl(spoil: Partial<Derivatives> = {}) {
  const sum = (w: Float32Array) => w.reduce((s, x) => s + Math.cosh(x), 0);
  return createObjective({
    name: 'bowl',
    paramCount: 6,
    exampleCount: 2,
    coupled: false,
    metadata: {},
    initialWeights: () => Float32Array.of(1, -0.5, 0.3, 2, -1, 0.1),
    performance: async (w) => ({ loss: sum(w), accuracy: null, exampleLosses: Float64Array.of(sum(w), sum(w)) }),
    lossAndGradient: async (w) => ({ loss: sum(w), gradient: w.map(Math.sinh), exampleLosses: null, accuracy: null }),
    hessianVector: async (w, v) => {
      const projection = w.reduce((s, x, k) => s + Math.sinh(x) * v[k]!, 0);
      return { product: v.map((x, k) => Math.cosh(w[k]!) * x), projections: Float64Array.of(projection, projection) };
    },
    weightedGradient: async (w, u) => w.map((x) => Math.sinh(x) * (u[0]! + u[1]!)),
    ...spoil,
  });
}

describe('verifyObjective', () => {
  it.each([
    ['least squares', regression(), 8],
    ['the toy', toy(), 8],
    ['a bowl', bowl(), 7],
  ])('passes %s', async (_name, objective, count) => {
    const { passed, checks } = await verifyObjective(objective);
    expect(checks.filter((c) => !c.passed)).toEqual([]);
    expect(passed).toBe(true);
    expect(checks).toHaveLength(count);
  });

  it('passes at a point where ∇L is 0 and the loss bends to one side more than to the other', async () => {
    const sum = (w: Float32Array) => w.reduce((s, x) => s + x ** 2 + x ** 3, 0);
    const slope = (w: Float32Array) => w.map((x) => 2 * x + 3 * x ** 2);
    const lopsided = bowl({
      performance: async (w) => ({ loss: sum(w), accuracy: null, exampleLosses: Float64Array.of(sum(w), sum(w)) }),
      lossAndGradient: async (w) => ({ loss: sum(w), gradient: slope(w), exampleLosses: null, accuracy: null }),
      hessianVector: async (w, v) => ({ product: v.map((x, k) => (2 + 6 * w[k]!) * x), projections: null }),
    });
    const { passed, checks } = await verifyObjective(lopsided, { weights: new Float32Array(6) });
    expect(checks.filter((c) => !c.passed)).toEqual([]);
    expect(passed).toBe(true);
  });

  it.each<[string, Partial<Derivatives>]>([
    [
      'gradient against differences of the loss',
      {
        lossAndGradient: async (w) => ({
          loss: 1,
          gradient: w.map((x) => 1.1 * Math.sinh(x)),
          exampleLosses: null,
          accuracy: null,
        }),
      },
    ],
    [
      'H v against differences of the gradient',
      { hessianVector: async (w, v) => ({ product: v.map((x, k) => 1.1 * Math.cosh(w[k]!) * x), projections: null }) },
    ],
    [
      'symmetry of H',
      {
        hessianVector: async (w, v) => ({
          product: v.map((x, k) => Math.cosh(w[k]!) * x + 0.01 * v[(k + 1) % 6]!),
          projections: null,
        }),
      },
    ],
    [
      'projections against single gradients',
      {
        hessianVector: async (w, v) => ({
          product: v.map((x, k) => Math.cosh(w[k]!) * x),
          projections: Float64Array.of(1, 2),
        }),
      },
    ],
    ['norms against single gradients', { exampleNormsSquared: async () => Float64Array.of(1, 2) }],
    [
      'H v against differences of the gradient',
      { hessianVector: async (w) => ({ product: w.map(() => Number.NaN), projections: null }) },
    ],
  ])('finds a wrong %s', async (name, spoil) => {
    const { passed, checks } = await verifyObjective(bowl(spoil));
    expect(passed).toBe(false);
    expect(checks.find((c) => c.name === name)!.passed).toBe(false);
  });
});
