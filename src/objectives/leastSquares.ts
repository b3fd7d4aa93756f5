import { BrinkError } from '../core/errors.ts';
import { type Numbers, numbers, requireList, requireOptions } from '../core/given.ts';
import type { Objective } from '../core/Objective.ts';
import { requireNames } from '../core/requireNames.ts';
import { generator, normals } from '../linalg/random.ts';
import { createObjective } from './createObjective.ts';

/** A linear model with squared loss: the smallest problem with per-example gradients in closed form. */
export interface LeastSquaresOptions {
  /** x_i, n rows of length m. */
  readonly X: readonly Numbers[];
  /** y_i, [n]. */
  readonly y: Numbers;
}

/**
 * Least squares: ℓ_i(θ) = ½ (x_iᵀθ − y_i)², so that g_i = (x_iᵀθ − y_i) x_i and H = XᵀX/n.
 *
 * Everything brink estimates has a closed form here, which is what it is for. Arithmetic is float64; weights are
 * float32.
 *
 * @param options `X` [n × m] and `y` [n].
 * @throws BrinkError where X is empty or ragged, or y has another length.
 */
export function leastSquares(options: LeastSquaresOptions): Objective {
  // A recording's header names the kind beside them.
  requireOptions('leastSquares', options, null, '{ X: [[1, 0], [1, 1]], y: [0, 1] }');
  requireNames('leastSquares', options, ['X', 'y'], ['objective']);
  requireList('leastSquares', 'X', options.X);
  const X = Array.from(options.X, (row, i) => numbers('leastSquares', `X[${i}]`, row));
  const y = numbers('leastSquares', 'y', options.y);
  const n = X.length;
  const m = X[0]?.length ?? 0;
  if (n === 0 || m === 0) throw new BrinkError('leastSquares', `X is ${n} × ${m}. It needs a row and a column.`);
  const ragged = X.findIndex((row) => row.length !== m);
  if (ragged >= 0)
    throw new BrinkError('leastSquares', `row ${ragged} of X has ${X[ragged]!.length} entries, row 0 has ${m}.`);
  if (y.length !== n) throw new BrinkError('leastSquares', `y has ${y.length} entries, X has ${n} rows.`);

  const all = Int32Array.from({ length: n }, (_, i) => i);
  const along = (i: number, v: ArrayLike<number>) => X[i]!.reduce((sum, x, k) => sum + x * v[k]!, 0);
  /** Σ_i u_i x_i. */
  const combine = (batch: Int32Array, u: (i: number, k: number) => number) => {
    const sum = new Float64Array(m);
    batch.forEach((i, k) => {
      const scale = u(i, k);
      X[i]!.forEach((x, j) => {
        sum[j]! += scale * x;
      });
    });
    return Float32Array.from(sum);
  };
  const residual = (weights: Float32Array, i: number) => along(i, weights) - y[i]!;
  const losses = (weights: Float32Array, batch: Int32Array) =>
    Float64Array.from(batch, (i) => residual(weights, i) ** 2 / 2);
  const average = (values: Float64Array) => values.reduce((a, b) => a + b, 0) / values.length;

  return createObjective({
    name: 'leastSquares',
    paramCount: m,
    exampleCount: n,
    coupled: false,
    metadata: { objective: 'leastSquares', X: X.map((row) => [...row]), y: [...y] },
    initialWeights: (seed) => Float32Array.from(normals(generator(seed), m)),
    performance: async (weights) => {
      const exampleLosses = losses(weights, all);
      return { loss: average(exampleLosses), accuracy: null, exampleLosses };
    },
    lossAndGradient: async (weights, batch) => {
      const examples = batch ?? all;
      const exampleLosses = losses(weights, examples);
      const gradient = combine(examples, (i) => residual(weights, i) / examples.length);
      return { loss: average(exampleLosses), gradient, exampleLosses, accuracy: null };
    },
    hessianVector: async (weights, v, batch) => {
      const examples = batch ?? all;
      const projections = Float64Array.from(examples, (i) => residual(weights, i) * along(i, v));
      return { product: combine(examples, (i) => along(i, v) / examples.length), projections };
    },
    exampleNormsSquared: async (weights) => Float64Array.from(all, (i) => residual(weights, i) ** 2 * along(i, X[i]!)),
    weightedGradient: async (weights, u) => combine(all, (i) => u[i]! * residual(weights, i)),
  });
}
