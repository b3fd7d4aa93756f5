import * as columns from '../core/columns.ts';
import { requireInteger } from '../core/errors.ts';
import { integer, number } from '../core/optionKinds.ts';
import { bool, defineTable, float64, int32, list, type Row } from '../core/Table.ts';
import { hessianEigenpairs } from '../estimators/hessianEigenpairs.ts';
import type { Eigenpairs } from '../linalg/eigenpairs.ts';
import { followBranches } from '../linalg/followBranches.ts';
import type { Measurement } from '../operators/measure.ts';
import { stabilityEdge } from '../theory/stabilityEdge.ts';
import { type OptionsOf, probe } from './probe.ts';

const table = defineTable({
  name: 'eigenvalues',
  description: 'The ends of the spectrum of the Hessian of the training loss at a step.',
  key: ['step'],
  columns: {
    step: columns.step(),
    lambda_1: columns.lambda1(),
    edge: columns.edge(),
    eigenvalues: list(
      float64({ symbol: 'λ₁…λ_k', description: 'The largest algebraic eigenvalues, falling.', scale: 'curvature' }),
    ),
    residuals: list(float64({ symbol: '‖Hq−λq‖', description: 'Of each: an eigenvalue lies within this distance.' })),
    branches: list(
      int32({
        symbol: '',
        description:
          'Of each, the number of its branch: eigenvectors that overlap from step to step share one. Where the run, or its probes, begin afresh all have new ones.',
      }),
    ),
    smallest_eigenvalues: list(
      float64({
        symbol: 'λ_m…',
        description: 'The smallest algebraic eigenvalues, rising; empty unless asked for.',
        scale: 'lowest curvature',
      }),
    ),
    smallest_residuals: list(float64({ symbol: '‖Hq−λq‖', description: 'Of each smallest eigenvalue.' })),
    products: int32({ symbol: '', description: 'Products with the Hessian that these numbers rest on.' }),
    converged: bool({
      symbol: '',
      description: 'Whether every residual met the tolerance, or the rounding of float32 where that is larger.',
    }),
  },
});

/** A row of `topEigenvalues`. */
export interface EigenvaluesRow extends Row<typeof table> {}

/** Options of `topEigenvalues`. */
export type TopEigenvaluesOptions = OptionsOf<typeof topEigenvalues>;

/**
 * The k largest algebraic eigenvalues λ_1 ≥ … ≥ λ_k of the Hessian H [m × m] of the training loss, and optionally the
 * smallest.
 *
 *     H q_j = λ_j q_j,   stopped when ‖H q_j − λ_j q_j‖ ≤ tolerance·|λ_1| for all j
 *
 * At the first step by Lanczos's method from ∇L with full reorthogonalisation, at later ones by Davidson's from the
 * eigenvectors of the step probed before (see `extremeEigenpairs` for why). The largest algebraic eigenvalues are
 * found also where the spectrum's largest magnitude is negative. The relative error of an eigenvalue is about the
 * square of its residual's, over the relative gap.
 *
 * It does not prove that no larger eigenvalue was missed (one whose eigenvector is orthogonal to the start would be),
 * nor that training is stable below the edge. One that rises out of the bulk from a step to the next, to above λ₁,
 * while the eigenvectors found before stay eigenvectors, is seen some steps later: one or two in the median where it is
 * a half larger, ten at most in all that was tried. Until then its rows are converged and show the others.
 *
 * Source: Lanczos (1950); the sharpness at the edge: Cohen et al. (2021).
 *
 * @throws BrinkError where an option is out of range, or asks for more eigenvalues than parameters; in the stream
 *   where a product is not finite.
 * @example
 * import { gradientDescent, topEigenvalues, toy } from 'brink';
 * import { firstValueFrom } from 'rxjs';
 *
 * const steps = gradientDescent(toy(), { learningRate: 2 / 32, steps: 60, initialWeights: [3, 0.1] });
 * const { eigenvalues, edge } = await firstValueFrom(steps.pipe(topEigenvalues({ count: 2 })));
 * console.log(eigenvalues.map((value) => value.toFixed(3)).join(' '), edge); // 35.200 2.000 32
 * @see interactionAwareSharpness, whose number hovers at the edge where λ₁ hovers above it; alignment
 */
export const topEigenvalues = probe({
  name: 'topEigenvalues',
  asks: 'How sharp is the valley? λ₁ … λ_k, and the smallest',
  table,
  cost: '`products` Hessian-vector products, about three gradients each: some 4 for λ₁ at the edge, 7 for three pairs. At most 3 k + 14 vectors of m stay from step to step, and a search holds up to 2 (k + 30) beside them; for the smallest as many again.',
  options: {
    count: integer({ least: 1, most: 'm', default: 1, description: 'k; with `grow` the least k.' }),
    grow: number({
      above: 0,
      none: 'k stays',
      description:
        'From the next step on, one eigenvalue more where the smallest tracked exceeds this share of the edge, one less where the last two lie below it.',
    }),
    maxCount: integer({
      least: 1,
      most: 'm',
      default: {
        text: 'the larger of count and min(10, m)',
        of: ({ paramCount }, { count }) => Math.max(count, Math.min(10, paramCount)),
      },
      description: 'The most eigenvalues that `grow` tracks, no fewer than count.',
    }),
    smallest: integer({ least: 0, most: 'm', default: 0, description: 'How many smallest eigenvalues beside them.' }),
    tolerance: number({ above: 0, default: 1e-3, description: 'Relative residual.' }),
    maxProducts: integer({ least: 1, default: 200, description: 'Most products a step and end of the spectrum.' }),
    seed: integer({ least: 0, default: 0, description: 'Of the random start directions.' }),
  },
  check: ({ count = 1, maxCount }) => {
    if (maxCount !== undefined) requireInteger('topEigenvalues', 'maxCount', maxCount, count);
  },
  begin: ({ count, grow, maxCount, smallest, tolerance, maxProducts, seed }): Measurement<EigenvaluesRow> => {
    const settings = { who: 'topEigenvalues', tolerance, maxProducts, seed };
    let top: Eigenpairs | null = null;
    let bottom: Eigenpairs | null = null;
    let wanted = count;
    let follow: ReturnType<typeof followBranches> | null = null;
    return async (point, step) => {
      const edge = stabilityEdge(step);
      top = await hessianEigenpairs(point, { ...settings, count: wanted }, top);
      if (smallest > 0) {
        bottom = await hessianEigenpairs(point, { ...settings, count: smallest, end: 'smallest' }, bottom);
      }
      const low = bottom?.pairs ?? [];
      // No branch of a step before, as of the run that this one goes on with, can have such a number.
      follow ??= followBranches(step.index * (grow === null ? count : maxCount));
      const branches = follow(top.pairs.map((pair) => pair.vector));
      if (grow !== null) {
        const shares = top.pairs.map((pair) => pair.value / edge);
        wanted = nextCount(shares, grow, count, maxCount);
      }
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
  },
});

/** How many eigenvalues to track next, from those tracked as shares of the edge. */
function nextCount(shares: readonly number[], grow: number, least: number, most: number): number {
  const k = shares.length;
  if (shares[k - 1]! > grow) return Math.min(k + 1, most);
  if (k > least && shares[k - 2]! < grow) return k - 1;
  return k;
}
