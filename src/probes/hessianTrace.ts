import type { OperatorFunction } from 'rxjs';
import { requireNumber } from '../core/errors.ts';
import type { Objective } from '../core/Objective.ts';
import type { Step } from '../core/Step.ts';
import { defineTable, float64, int32, type Row } from '../core/Table.ts';
import { drawUntil, requireDraws } from '../estimators/drawUntil.ts';
import { estimateSum } from '../estimators/gradientNoise.ts';
import { hessianEigenpairs } from '../estimators/hessianEigenpairs.ts';
import type { Eigenpairs } from '../linalg/eigenpairs.ts';
import { generator, signs } from '../linalg/random.ts';
import { addScaled, dot } from '../linalg/vector.ts';
import { measureAlong } from '../operators/measure.ts';
import { requireCount } from './requireCount.ts';

const table = defineTable({
  name: 'traces',
  description: 'Traces of the Hessian and of its square at a step.',
  key: ['step'],
  columns: {
    step: int32({ symbol: 't', description: 'The step.' }),
    trace_H: float64({ symbol: 'tr(H)', description: 'Sum of all eigenvalues.' }),
    trace_H_standard_error: float64({ symbol: '', description: 'Of trace_H.' }),
    trace_H2: float64({ symbol: 'tr(H²)', description: 'Sum of the squares of all eigenvalues.' }),
    trace_H2_standard_error: float64({ symbol: '', description: 'Of trace_H2.' }),
    draws: int32({ symbol: 'K', description: 'Independent draws behind the standard errors.' }),
  },
});

export interface HessianTraceOptions {
  /** K, at least 2, default 16. */
  readonly draws?: number;
  /** Doubles K until the standard errors of both traces are at most this share of them; default: K stays. */
  readonly targetError?: number;
  /** Where doubling stops, default 256. */
  readonly maxDraws?: number;
  /** Eigenpairs treated exactly, default 3 (at most m); 0: none, which is Hutchinson's estimator. */
  readonly deflate?: number;
  /** Relative residual of those eigenpairs, default 1e-3. It changes the variance, not the mean. */
  readonly tolerance?: number;
  /** Of the draws, default 0. */
  readonly seed?: number;
}

/**
 * tr(H) and tr(H²) with standard errors, the leading eigenvectors done exactly.
 *
 * With orthonormal Ritz vectors Q and random signs z [m], z_⊥ = (I − QQᵀ)z: tr(H) = Σ_j q_jᵀHq_j + E[z_⊥ᵀHz_⊥] and
 * tr(H²) = Σ_j ‖Hq_j‖² + E‖Hz_⊥‖², without bias for any orthonormal Q.
 *
 * A trace says nothing about how the eigenvalues are spread: a few outliers and a wide bulk can have the same one.
 *
 * Cost: K products and the eigenpairs, which are shared with other probes.
 *
 * @param objective The training loss.
 * @param options `draws` (16), `targetError` (none), `maxDraws` (256), `deflate` (3), `tolerance` (1e-3), `seed` (0).
 * @throws BrinkError at the call where an option is out of range.
 * Source: Hutchinson (1989); Hutch++ (Meyer, Musco, Musco and Woodruff, 2021), with Krylov vectors in place of its sketch.
 */
export function hessianTrace(
  objective: Objective,
  options: HessianTraceOptions = {},
): OperatorFunction<Step, Row<typeof table>> {
  const who = 'hessianTrace';
  const { draws = 16, deflate = Math.min(3, objective.paramCount), tolerance = 1e-3, seed = 0 } = options;
  const precision = requireDraws(who, draws, options.targetError, options.maxDraws);
  requireCount(who, 'deflate', deflate, objective, 0);
  requireNumber(who, 'tolerance', tolerance, 0);
  return measureAlong(objective, () => {
    let eigenpairs: Eigenpairs | null = null;
    return async (point, step) => {
      if (deflate > 0) {
        eigenpairs = await hessianEigenpairs(point, { who, count: deflate, tolerance }, eigenpairs);
      }
      const pairs = eigenpairs?.pairs ?? [];
      const sum = (part: (pair: Eigenpairs['pairs'][number]) => number) => pairs.reduce((s, pair) => s + part(pair), 0);
      const within = {
        trace: sum(({ vector, product }) => dot(vector, product)),
        square: sum(({ product }) => dot(product, product)),
      };
      const trace: number[] = [];
      const square: number[] = [];
      const estimate = async (K: number) => {
        for (let k = trace.length; k < K; k++) {
          const rest = signs(generator(seed, step.index, k), objective.paramCount);
          for (const { vector } of pairs) addScaled(rest, vector, -dot(vector, rest));
          const z = Float32Array.from(rest);
          const { product } = await point.hessianVector(z);
          trace.push(dot(z, product));
          square.push(dot(product, product));
        }
        return [
          estimateSum(within.trace, Float64Array.from(trace)),
          estimateSum(within.square, Float64Array.from(square)),
        ] as const;
      };
      const [first, second] = await drawUntil(precision, estimate, (traces) => traces);
      return {
        step: step.index,
        trace_H: first.value,
        trace_H_standard_error: first.standardError,
        trace_H2: second.value,
        trace_H2_standard_error: second.standardError,
        draws: trace.length,
      };
    };
  });
}
hessianTrace.table = table;
