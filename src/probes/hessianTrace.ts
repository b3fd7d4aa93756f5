import * as columns from '../core/columns.ts';
import { defineTable, float64, type Row } from '../core/Table.ts';
import * as usual from '../core/usualOptions.ts';
import { checkMaxDraws, drawUntil } from '../estimators/drawUntil.ts';
import { estimateSum, tellingSigns } from '../estimators/gradientNoise.ts';
import { hessianEigenpairs } from '../estimators/hessianEigenpairs.ts';
import type { Eigenpair, Eigenpairs } from '../linalg/eigenpairs.ts';
import { generator, signs } from '../linalg/random.ts';
import { addScaled, dot } from '../linalg/vector.ts';
import type { Measurement } from '../operators/measure.ts';
import { type OptionsOf, probe } from './probe.ts';

const table = defineTable({
  name: 'traces',
  description: 'Traces of the Hessian and of its square at a step.',
  key: ['step'],
  columns: {
    step: columns.step(),
    trace_H: float64({ symbol: 'tr(H)', description: 'Sum of all eigenvalues.' }),
    trace_H_standard_error: columns.standardError('trace_H'),
    trace_H2: float64({ symbol: 'tr(H²)', description: 'Sum of the squares of all eigenvalues.' }),
    trace_H2_standard_error: columns.standardError('trace_H2'),
    draws: columns.draws(),
  },
});

/** A row of `hessianTrace`. */
export interface TracesRow extends Row<typeof table> {}

/** Options of `hessianTrace`. */
export type HessianTraceOptions = OptionsOf<typeof hessianTrace>;

/**
 * tr(H) and tr(H²), H [m × m], with standard errors, the leading eigenvectors done exactly.
 *
 * With orthonormal Ritz vectors Q and random signs z [m], z_⊥ = (I − QQᵀ)z: tr(H) = Σ_j q_jᵀHq_j + E[z_⊥ᵀHz_⊥] and
 * tr(H²) = Σ_j ‖Hq_j‖² + E‖Hz_⊥‖², without bias for any orthonormal Q. `deflate: 0` is Hutchinson's estimator.
 *
 * A trace says nothing about how the eigenvalues are spread: a few outliers and a wide bulk can have the same one.
 *
 * Source: Hutchinson (1989); Hutch++ (Meyer, Musco, Musco and Woodruff, 2021), with Krylov vectors in place of its
 * sketch.
 *
 * @throws BrinkError where an option is out of range; in the stream where a product is not finite.
 * @example
 * import { gradientDescent, hessianTrace, toy } from 'brink';
 * import { firstValueFrom } from 'rxjs';
 *
 * const steps = gradientDescent(toy(), { learningRate: 2 / 32, steps: 1, initialWeights: [3, 0.1] });
 * const { trace_H, trace_H2 } = await firstValueFrom(steps.pipe(hessianTrace({ deflate: 2 })));
 * console.log(trace_H.toFixed(4), trace_H2.toFixed(3)); // 37.2000 1243.040
 * @see spectralDensity, topEigenvalues
 */
export const hessianTrace = probe({
  name: 'hessianTrace',
  asks: 'How curved is the valley in all? tr(H), tr(H²)',
  table,
  cost: 'K products and the eigenpairs, which are shared with other probes.',
  options: {
    draws: usual.draws(),
    targetError: usual.targetError('the standard error of each trace'),
    maxDraws: usual.maxDraws(),
    deflate: usual.deflate(0),
    tolerance: usual.tolerance(1e-3, ' It changes the variance, not the mean.'),
    seed: usual.seed(),
  },
  check: (given) => checkMaxDraws('hessianTrace', 16, given),
  begin: ({ deflate, tolerance, seed, ...precision }, { paramCount }): Measurement<TracesRow> => {
    let eigenpairs: Eigenpairs | null = null;
    return async (point, step) => {
      if (deflate > 0) {
        const settings = { who: 'hessianTrace', count: deflate, tolerance };
        eigenpairs = await hessianEigenpairs(point, settings, eigenpairs);
      }
      const pairs = eigenpairs?.pairs ?? [];
      const sum = (part: (pair: Eigenpair) => number) => pairs.reduce((s, pair) => s + part(pair), 0);
      const within = {
        trace: sum(({ vector, product }) => dot(vector, product)),
        square: sum(({ product }) => dot(product, product)),
      };
      const trace: number[] = [];
      const square: number[] = [];
      const estimate = async (K: number) => {
        for (let k = trace.length; k < K; k++) {
          const rest = signs(generator(seed, step.index, k), paramCount);
          for (const { vector } of pairs) addScaled(rest, vector, -dot(vector, rest));
          const z = Float32Array.from(rest);
          const { product } = await point.hessianVector(z);
          trace.push(dot(z, product));
          square.push(dot(product, product));
        }
        // Where the eigenvectors are all there are, nothing is left to draws.
        const telling = pairs.length === paramCount ? K : tellingSigns(paramCount, seed, step.index, K);
        return [
          estimateSum(within.trace, Float64Array.from(trace.slice(0, telling))),
          estimateSum(within.square, Float64Array.from(square.slice(0, telling))),
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
  },
});
