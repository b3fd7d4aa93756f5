import type { Objective } from '../../src/core/Objective.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { createObjective } from '../../src/objectives/createObjective.ts';

/** ℓ_i(θ) = r²/2 + c r³/6 with r = x_iᵀθ − y_i, seeded: a regression whose third derivative is known; c = 0: none. */
export function curvedRegression(c: number, n = 12, m = 5): Objective {
  const numbers = normals(generator(7), n * (m + 1));
  const rows = Array.from({ length: n }, (_, i) => numbers.subarray(i * (m + 1), (i + 1) * (m + 1)));
  const X = rows.map((row) => row.subarray(1));
  const along = (i: number, v: ArrayLike<number>) => X[i]!.reduce((sum, x, k) => sum + x * v[k]!, 0);
  const r = (i: number, theta: Float32Array) => along(i, theta) - rows[i]![0]!;
  const slope = (i: number, theta: Float32Array) => r(i, theta) + (c * r(i, theta) ** 2) / 2;
  const all = Int32Array.from({ length: n }, (_, i) => i);
  /** Σ_k u_k x_{batch_k}. */
  const combine = (batch: Int32Array, u: (i: number, k: number) => number) =>
    Float32Array.from({ length: m }, (_, j) => batch.reduce((sum, i, k) => sum + u(i, k) * X[i]![j]!, 0));
  const performance = (theta: Float32Array, batch: Int32Array) => {
    const exampleLosses = Float64Array.from(batch, (i) => r(i, theta) ** 2 / 2 + (c * r(i, theta) ** 3) / 6);
    return { loss: exampleLosses.reduce((a, b) => a + b, 0) / batch.length, exampleLosses, accuracy: null };
  };
  return createObjective({
    name: 'curvedRegression',
    paramCount: m,
    exampleCount: n,
    coupled: false,
    metadata: {},
    initialWeights: (seed) => Float32Array.from(normals(generator(seed), m)),
    performance: async (theta) => performance(theta, all),
    lossAndGradient: async (theta, batch) => {
      const of = batch ?? all;
      return { ...performance(theta, of), gradient: combine(of, (i) => slope(i, theta) / of.length) };
    },
    hessianVector: async (theta, v, batch) => {
      const of = batch ?? all;
      const projections = Float64Array.from(of, (i) => slope(i, theta) * along(i, v));
      return { product: combine(of, (i) => ((1 + c * r(i, theta)) * along(i, v)) / of.length), projections };
    },
    weightedGradient: async (theta, u) => combine(all, (i) => u[i]! * slope(i, theta)),
    exampleNormsSquared: async (theta) => Float64Array.from(all, (i) => slope(i, theta) ** 2 * along(i, X[i]!)),
  });
}
