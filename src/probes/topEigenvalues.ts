import type { OperatorFunction } from 'rxjs';
import { requireInteger, requireNumber } from '../core/errors.ts';
import type { Objective } from '../core/Objective.ts';
import type { Step } from '../core/Step.ts';
import { bool, defineTable, float64, int32, list, type Row } from '../core/Table.ts';
import { hessianEigenpairs } from '../estimators/hessianEigenpairs.ts';
import type { Eigenpairs } from '../linalg/eigenpairs.ts';
import { followBranches } from '../linalg/followBranches.ts';
import { measureAlong } from '../operators/measure.ts';
import { stabilityEdge } from '../theory/stabilityEdge.ts';
import { requireCount } from './requireCount.ts';

const table = defineTable({
  name: 'eigenvalues',
  description: 'The ends of the spectrum of the Hessian of the training loss at a step.',
  key: ['step'],
  columns: {
    step: int32({ symbol: 't', description: 'The step.' }),
    lambda_1: float64({ symbol: 'λ₁', description: 'The largest eigenvalue of the Hessian: the sharpness.' }),
    edge: float64({ symbol: '2/η', description: 'The edge of stability, (2/η)(1+β₁)/(1+2β₂).' }),
    eigenvalues: list(float64({ symbol: 'λ₁…λ_k', description: 'The largest algebraic eigenvalues, falling.' })),
    residuals: list(float64({ symbol: '‖Hq−λq‖', description: 'Of each: an eigenvalue lies within this distance.' })),
    branches: list(
      int32({
        symbol: '',
        description: 'Of each, the number of its branch: eigenvectors that overlap from step to step share one.',
      }),
    ),
    smallest_eigenvalues: list(
      float64({ symbol: 'λ_m…', description: 'The smallest algebraic eigenvalues, rising; empty unless asked for.' }),
    ),
    smallest_residuals: list(float64({ symbol: '‖Hq−λq‖', description: 'Of each smallest eigenvalue.' })),
    products: int32({ symbol: '', description: 'Products with the Hessian that these numbers rest on.' }),
    converged: bool({
      symbol: '',
      description: 'Whether every residual met the tolerance, or the rounding of float32 where that is larger.',
    }),
  },
});

export interface TopEigenvaluesOptions {
  /** k, default 1; with `grow` the least k. */
  readonly count?: number;
  /** From the next step on, tracks one more eigenvalue where the smallest tracked exceeds this share of the edge, and one less
   * where the last two lie below it; default: k stays. */
  readonly grow?: number;
  /** The most eigenvalues that `grow` tracks, default 10 (at most m). */
  readonly maxCount?: number;
  /** How many smallest eigenvalues beside them, default 0. */
  readonly smallest?: number;
  /** Relative residual, default 1e-3; a relative error of the eigenvalue itself is about its square over the relative gap. */
  readonly tolerance?: number;
  /** Most products a step and end of the spectrum, default 200. */
  readonly maxProducts?: number;
  /** Of the random start directions, default 0. */
  readonly seed?: number;
}

/**
 * The k largest algebraic eigenvalues λ_1 ≥ … ≥ λ_k of the Hessian H [m × m] of the training loss, and optionally the smallest.
 *
 * H q_j = λ_j q_j, at the first step by Lanczos's method from ∇L with full reorthogonalisation, at later ones by Davidson's
 * from the eigenvectors of the step probed before (see `extremeEigenpairs` for why); stopped when
 * ‖Hq_j − λ_j q_j‖ ≤ tolerance·|λ_1| for all j. The largest algebraic eigenvalues are found also where the spectrum's largest
 * magnitude is negative.
 *
 * It does not prove that no larger eigenvalue was missed (one whose eigenvector is orthogonal to the start would be), nor
 * that training is stable below the edge.
 *
 * Cost: `products` Hessian-vector products, about three gradients each: some 6 for three pairs at the edge.
 *
 * @param objective The training loss.
 * @param options `count` (1), `grow` (off), `maxCount` (10), `smallest` (0), `tolerance` (1e-3), `maxProducts` (200), `seed` (0).
 * @throws BrinkError at the call where an option is out of range or asks for more eigenvalues than parameters; in the stream
 *   where a product is not finite.
 * Source: Lanczos (1950); the sharpness at the edge: Cohen et al. (2021).
 */
export function topEigenvalues(
  objective: Objective,
  options: TopEigenvaluesOptions = {},
): OperatorFunction<Step, Row<typeof table>> {
  const who = 'topEigenvalues';
  const { count = 1, grow, smallest = 0, tolerance = 1e-3, maxProducts = 200, seed = 0 } = options;
  const { maxCount = Math.max(count, Math.min(10, objective.paramCount)) } = options;
  requireCount(who, 'count', count, objective, 1);
  if (grow !== undefined) requireNumber(who, 'grow', grow, 0);
  requireCount(who, 'maxCount', maxCount, objective, count);
  requireCount(who, 'smallest', smallest, objective, 0);
  requireNumber(who, 'tolerance', tolerance, 0);
  requireInteger(who, 'maxProducts', maxProducts, 1);
  const settings = { who, tolerance, maxProducts, seed };
  return measureAlong(objective, () => {
    let top: Eigenpairs | null = null;
    let bottom: Eigenpairs | null = null;
    let wanted = count;
    const follow = followBranches();
    return async (point, step) => {
      const edge = stabilityEdge(step);
      top = await hessianEigenpairs(point, { ...settings, count: wanted }, top);
      if (smallest > 0)
        bottom = await hessianEigenpairs(point, { ...settings, count: smallest, end: 'smallest' }, bottom);
      const low = bottom?.pairs ?? [];
      const branches = follow(top.pairs.map((pair) => pair.vector));
      if (grow !== undefined)
        wanted = nextCount(
          top.pairs.map((pair) => pair.value / edge),
          grow,
          count,
          maxCount,
        );
      return {
        step: step.index,
        lambda_1: top.pairs[0]!.value,
        edge,
        eigenvalues: top.pairs.map((pair) => pair.value),
        residuals: top.pairs.map((pair) => pair.residual),
        branches,
        smallest_eigenvalues: low.map((pair) => pair.value),
        smallest_residuals: low.map((pair) => pair.residual),
        products: top.products + (bottom?.products ?? 0),
        converged: top.converged && (bottom?.converged ?? true),
      };
    };
  });
}
topEigenvalues.table = table;

/** How many eigenvalues to track next, from those tracked as shares of the edge. */
function nextCount(shares: readonly number[], grow: number, least: number, most: number): number {
  const k = shares.length;
  if (shares[k - 1]! > grow) return Math.min(k + 1, most);
  if (k > least && shares[k - 2]! < grow) return k - 1;
  return k;
}
