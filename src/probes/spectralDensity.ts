import * as columns from '../core/columns.ts';
import { integer, number } from '../core/optionKinds.ts';
import { defineTable, float64, type Row } from '../core/Table.ts';
import * as usual from '../core/usualOptions.ts';
import { tellingSigns } from '../estimators/gradientNoise.ts';
import { lanczosQuadrature, type Quadrature } from '../linalg/lanczosQuadrature.ts';
import { generator, signs } from '../linalg/random.ts';
import { largest, least, mean, standardError } from '../linalg/vector.ts';
import type { Measurement } from '../operators/measure.ts';
import { type OptionsOf, probe } from './probe.ts';

const table = defineTable({
  name: 'spectrum',
  description: 'The density of the eigenvalues of the Hessian at a step, one row for each point of the grid.',
  key: ['step', 'eigenvalue'],
  columns: {
    step: columns.step(),
    eigenvalue: float64({ symbol: 'λ', description: 'The point of the grid.' }),
    density: float64({
      symbol: 'φ(λ)',
      description: 'Share of the eigenvalues near λ, per unit of λ, seen through a Gaussian of the width given.',
    }),
    density_standard_error: columns.standardError(
      'density',
      'over the start vectors, NaN where these are all the same',
    ),
    width: float64({ symbol: 'σ', description: 'Standard deviation of the Gaussian.' }),
    draws: columns.draws(),
  },
});

/** A row of `spectralDensity`. */
export interface SpectrumRow extends Row<typeof table> {}

/** Options of `spectralDensity`. */
export type SpectralDensityOptions = OptionsOf<typeof spectralDensity>;

/**
 * The spectral density φ(λ) = (1/m) Σ_j N(λ; λ_j, σ²) of the Hessian [m × m], by stochastic Lanczos quadrature.
 *
 * For random signs z [m], E[zᵀf(H)z]/m = (1/m) Σ_j f(λ_j); Lanczos's recursion from z/√m turns it into Σ_k w_k f(θ_k).
 *
 * Structure finer than σ, and single eigenvalues inside the bulk, are not resolved; the standard error covers the
 * choice of start vectors, not the error of a quadrature with few nodes.
 *
 * Source: Ghorbani, Krishnan and Xiao (2019); Yao et al. (2020, PyHessian).
 *
 * @throws BrinkError where an option is out of range; in the stream where a product is not finite.
 * @example
 * import { gradientDescent, spectralDensity, toy } from 'brink';
 * import { firstValueFrom, toArray } from 'rxjs';
 *
 * const steps = gradientDescent(toy(), { learningRate: 2 / 32, steps: 0, initialWeights: [3, 0.1] });
 * const rows = await firstValueFrom(steps.pipe(spectralDensity({ points: 401 }), toArray()));
 * const cell = rows[1]!.eigenvalue - rows[0]!.eigenvalue;
 * console.log(rows.reduce((sum, { density }) => sum + density * cell, 0).toFixed(2)); // 1.00
 * @see hessianTrace, topEigenvalues
 */
export const spectralDensity = probe({
  name: 'spectralDensity',
  asks: 'How are the eigenvalues spread? Their density',
  table,
  cost: 'draws × steps products; steps vectors of m are held meanwhile.',
  options: {
    draws: usual.draws(4),
    steps: integer({ least: 1, default: 40, description: 'Products a start vector.' }),
    points: integer({
      least: 2,
      default: 200,
      description: 'Points of the grid, which spans the nodes found and three widths on both sides.',
    }),
    width: number({ above: 0, default: 0.01, description: 'σ as a share of the span of the nodes.' }),
    seed: usual.seed(),
  },
  begin:
    ({ draws, steps, points, width, seed }, { paramCount }): Measurement<SpectrumRow> =>
    async (point, step) => {
      const apply = async (v: Float32Array) => (await point.hessianVector(v)).product;
      const quadratures: Quadrature[] = [];
      for (let k = 0; k < draws; k++) {
        const start = Float32Array.from(signs(generator(seed, step.index, k), paramCount));
        quadratures.push(await lanczosQuadrature('spectralDensity', apply, start, Math.min(steps, paramCount)));
      }
      const telling = tellingSigns(paramCount, seed, step.index, draws);
      const nodes = quadratures.flatMap((q) => q.nodes);
      const [low, high] = [least(nodes), largest(nodes)];
      // A spectrum of one point is given the width that its value suggests.
      const sigma = width * (high - low || Math.abs(high) || 1);
      const gaussian = (x: number) => Math.exp(-0.5 * (x / sigma) ** 2) / (sigma * Math.sqrt(2 * Math.PI));
      return Array.from({ length: points }, (_, i) => {
        const eigenvalue = low - 3 * sigma + ((high - low + 6 * sigma) * i) / (points - 1);
        const density = Float64Array.from(quadratures, (q) =>
          q.nodes.reduce((sum, node, k) => sum + q.weights[k]! * gaussian(eigenvalue - node), 0),
        );
        return {
          step: step.index,
          eigenvalue,
          density: mean(density),
          density_standard_error: standardError(density.subarray(0, telling)),
          width: sigma,
          draws,
        };
      });
    },
});
