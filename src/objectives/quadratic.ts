import { BrinkError, requireNumber } from '../core/errors.ts';
import { type Numbers, numbers, requireList, requireOptions } from '../core/given.ts';
import type { Objective } from '../core/Objective.ts';
import { requireNames } from '../core/requireNames.ts';
import { generator, normals } from '../linalg/random.ts';
import { createObjective } from './createObjective.ts';

/** The coefficients of ½θᵀAθ + bᵀθ + c. */
export interface QuadraticOptions {
  /** Symmetric, m rows of length m. */
  readonly A: readonly Numbers[];
  /** [m]; default 0. */
  readonly b?: Numbers;
  /** Default 0. */
  readonly c?: number;
}

/**
 * The quadratic L(θ) = ½θᵀAθ + bᵀθ + c with one example (n = 1): ∇L = Aθ + b, H = A.
 *
 * Every answer is known, which is what it is for. Arithmetic is float64; weights are float32.
 *
 * @param options A [m × m] symmetric, b [m], c.
 * @throws BrinkError where A is not square and symmetric, or b has another length.
 */
export function quadratic(options: QuadraticOptions): Objective {
  // A recording's header names the kind beside them.
  requireOptions('quadratic', options, null, '{ A: [[2, 0], [0, 1]] }');
  requireNames('quadratic', options, ['A', 'b', 'c'], ['objective']);
  requireList('quadratic', 'A', options.A);
  const A = Array.from(options.A, (row, i) => numbers('quadratic', `A[${i}]`, row));
  const b = numbers('quadratic', 'b', options.b ?? A.map(() => 0));
  const { c = 0 } = options;
  requireNumber('quadratic', 'c', c, Number.NEGATIVE_INFINITY);
  const m = A.length;
  if (m === 0) throw new BrinkError('quadratic', 'A is empty. It needs at least one row.');
  A.forEach((row, i) => {
    if (row.length !== m)
      throw new BrinkError('quadratic', `row ${i} of A has ${row.length} entries. A must be ${m} × ${m}.`);
    row.forEach((a, j) => {
      if (a !== A[j]![i])
        throw new BrinkError(
          'quadratic',
          `A[${i}][${j}] is ${a} but A[${j}][${i}] is ${A[j]![i]}. A Hessian is symmetric.`,
        );
    });
  });
  if (b.length !== m) throw new BrinkError('quadratic', `b has ${b.length} entries, A has ${m} rows.`);

  const times = (v: ArrayLike<number>) => Float64Array.from(A, (row) => row.reduce((sum, a, k) => sum + a * v[k]!, 0));
  const evaluate = (weights: Float32Array) => {
    const product = times(weights);
    const loss = product.reduce((sum, p, k) => sum + (p / 2 + b[k]!) * weights[k]!, c);
    return { loss, gradient: product.map((p, k) => p + b[k]!) };
  };

  return createObjective({
    name: 'quadratic',
    paramCount: m,
    exampleCount: 1,
    coupled: false,
    metadata: { objective: 'quadratic', A: A.map((row) => [...row]), b: [...b], c },
    initialWeights: (seed) => Float32Array.from(normals(generator(seed), m)),
    performance: async (weights) => {
      const { loss } = evaluate(weights);
      return { loss, accuracy: null, exampleLosses: Float64Array.of(loss) };
    },
    lossAndGradient: async (weights) => {
      const { loss, gradient } = evaluate(weights);
      return { loss, gradient: Float32Array.from(gradient), exampleLosses: Float64Array.of(loss), accuracy: null };
    },
    hessianVector: async (weights, v) => ({
      product: Float32Array.from(times(v)),
      projections: Float64Array.of(evaluate(weights).gradient.reduce((sum, g, k) => sum + g * v[k]!, 0)),
    }),
    exampleNormsSquared: async (weights) =>
      Float64Array.of(evaluate(weights).gradient.reduce((sum, g) => sum + g * g, 0)),
    weightedGradient: async (weights, u) => Float32Array.from(evaluate(weights).gradient, (g) => g * u[0]!),
  });
}

/**
 * The paper's toy (Figure 22): L(θ) = θ₁² + 16α θ₂², so that H = diag(2, 32α) and q₁ = (0, 1).
 *
 * With η = 2/32 and α = 1.1 the sharpness 32α lies above 2/η = 32: gradient descent from (3, 0.1) turns towards q₁.
 *
 * @param alpha α, default 1.1.
 */
export function toy(alpha = 1.1): Objective {
  requireNumber('toy', 'alpha', alpha, Number.NEGATIVE_INFINITY);
  return quadratic({
    A: [
      [2, 0],
      [0, 32 * alpha],
    ],
  });
}
