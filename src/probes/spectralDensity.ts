import type { OperatorFunction } from 'rxjs';
import { requireInteger, requireNumber } from '../core/errors.ts';
import type { Objective } from '../core/Objective.ts';
import type { Step } from '../core/Step.ts';
import { defineTable, float64, int32, type Row } from '../core/Table.ts';
import { lanczosQuadrature, type Quadrature } from '../linalg/lanczosQuadrature.ts';
import { generator, signs } from '../linalg/random.ts';
import { mean, standardError } from '../linalg/vector.ts';
import { measure } from '../operators/measure.ts';

const table = defineTable({
  name: 'spectrum',
  description: 'The density of the eigenvalues of the Hessian at a step, one row for each point of the grid.',
  key: ['step', 'eigenvalue'],
  columns: {
    step: int32({ symbol: 't', description: 'The step.' }),
    eigenvalue: float64({ symbol: 'λ', description: 'The point of the grid.' }),
    density: float64({
      symbol: 'φ(λ)',
      description: 'Share of the eigenvalues near λ, per unit of λ, seen through a Gaussian of the width given.',
    }),
    density_standard_error: float64({ symbol: '', description: 'Of density, over the start vectors.' }),
    width: float64({ symbol: 'σ', description: 'Standard deviation of the Gaussian.' }),
    draws: int32({ symbol: 'K', description: 'Start vectors.' }),
  },
});

export interface SpectralDensityOptions {
  /** Start vectors K, at least 2, default 4. */
  readonly draws?: number;
  /** Products a start vector, default 40. */
  readonly steps?: number;
  /** Points of the grid, at least 2, default 200; it spans the nodes found, and three widths on both sides. */
  readonly points?: number;
  /** σ as a share of the span of the nodes, default 0.01. */
  readonly width?: number;
  /** Of the start vectors, default 0. */
  readonly seed?: number;
}

/**
 * The spectral density φ(λ) = (1/m) Σ_j N(λ; λ_j, σ²) of the Hessian [m × m], by stochastic Lanczos quadrature.
 *
 * For random signs z [m], E[zᵀf(H)z]/m = (1/m) Σ_j f(λ_j); Lanczos's recursion from z/√m turns it into Σ_k w_k f(θ_k).
 *
 * Structure finer than σ, and single eigenvalues inside the bulk, are not resolved; the standard error covers the choice of
 * start vectors, not the error of a quadrature with few nodes.
 *
 * Cost: draws × steps products.
 *
 * @param objective The training loss.
 * @param options `draws` (4), `steps` (40), `points` (200), `width` (0.01 of the span), `seed` (0).
 * @throws BrinkError at the call where an option is out of range.
 * Source: Ghorbani, Krishnan and Xiao (2019); Yao et al. (2020, PyHessian).
 */
export function spectralDensity(
  objective: Objective,
  options: SpectralDensityOptions = {},
): OperatorFunction<Step, Row<typeof table>> {
  const who = 'spectralDensity';
  const { draws = 4, steps = 40, points = 200, width = 0.01, seed = 0 } = options;
  requireInteger(who, 'draws', draws, 2);
  requireInteger(who, 'steps', steps, 1);
  requireInteger(who, 'points', points, 2);
  requireNumber(who, 'width', width, 0);
  return measure(objective, async (point, step) => {
    const quadratures: Quadrature[] = [];
    for (let k = 0; k < draws; k++) {
      const start = Float32Array.from(signs(generator(seed, step.index, k), objective.paramCount));
      quadratures.push(
        await lanczosQuadrature(
          async (v) => (await point.hessianVector(v)).product,
          start,
          Math.min(steps, objective.paramCount),
        ),
      );
    }
    const nodes = quadratures.flatMap((q) => q.nodes);
    const [low, high] = [Math.min(...nodes), Math.max(...nodes)];
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
        density_standard_error: standardError(density),
        width: sigma,
        draws,
      };
    });
  });
}
spectralDensity.table = table;
