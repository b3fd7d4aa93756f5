import type { Objective } from '../../src/core/Objective.ts';
import { createObjective } from '../../src/objectives/createObjective.ts';

/** ℓ_i(θ) = ½θᵀA_iθ + b_iᵀθ: examples of any curvature, in double precision. */
export function perExampleQuadratics(
  examples: readonly { readonly A: readonly (readonly number[])[]; readonly b: readonly number[] }[],
): Objective {
  const n = examples.length;
  const m = examples[0]!.b.length;
  const times = (i: number, v: ArrayLike<number>) =>
    examples[i]!.A.map((row) => row.reduce((sum, a, k) => sum + a * v[k]!, 0));
  const gradient = (i: number, theta: ArrayLike<number>) => times(i, theta).map((x, k) => x + examples[i]!.b[k]!);
  const loss = (i: number, theta: ArrayLike<number>) =>
    times(i, theta).reduce((sum, x, k) => sum + (x / 2 + examples[i]!.b[k]!) * theta[k]!, 0);
  const all = Int32Array.from({ length: n }, (_, i) => i);
  const weighted = (batch: Int32Array, u: (k: number) => number, vector: (i: number) => number[]) =>
    Float32Array.from({ length: m }, (_, j) => batch.reduce((sum, i, k) => sum + u(k) * vector(i)[j]!, 0));
  const dot = (a: readonly number[], b: ArrayLike<number>) => a.reduce((sum, x, k) => sum + x * b[k]!, 0);
  const performance = (theta: Float32Array, batch: Int32Array) => {
    const exampleLosses = Float64Array.from(batch, (i) => loss(i, theta));
    return { loss: exampleLosses.reduce((a, b) => a + b, 0) / batch.length, exampleLosses, accuracy: null };
  };
  return createObjective({
    name: 'perExampleQuadratics',
    paramCount: m,
    exampleCount: n,
    coupled: false,
    metadata: {},
    initialWeights: () => new Float32Array(m).fill(1),
    performance: async (theta) => performance(theta, all),
    lossAndGradient: async (theta, batch) => {
      const of = batch ?? all;
      return {
        ...performance(theta, of),
        gradient: weighted(
          of,
          () => 1 / of.length,
          (i) => gradient(i, theta),
        ),
      };
    },
    hessianVector: async (theta, v, batch) => {
      const of = batch ?? all;
      return {
        product: weighted(
          of,
          () => 1 / of.length,
          (i) => times(i, v),
        ),
        projections: Float64Array.from(of, (i) => dot(gradient(i, theta), v)),
      };
    },
    weightedGradient: async (theta, u) =>
      weighted(
        all,
        (k) => u[k]!,
        (i) => gradient(i, theta),
      ),
    exampleNormsSquared: async (theta) => Float64Array.from(all, (i) => dot(gradient(i, theta), gradient(i, theta))),
  });
}
