import * as columns from '../core/columns.ts';
import type { Point } from '../core/Objective.ts';
import { defineTable, float64, type Row } from '../core/Table.ts';
import * as usual from '../core/usualOptions.ts';
import { type BatchDraw, sampledGradient, tellingDraws } from '../estimators/sampledBatches.ts';
import { addScaled, covariance, dot, mean, norm } from '../linalg/vector.ts';
import type { Measurement } from '../operators/measure.ts';
import { isFullBatch } from '../theory/isFullBatch.ts';
import { type OptionsOf, probe } from './probe.ts';

const table = defineTable({
  name: 'resultant_length',
  description: 'How much the directions of batch gradients agree at a step, for each batch size.',
  key: ['step', 'batch_size'],
  columns: {
    step: columns.step(),
    batch_size: columns.batchSize(),
    replacement: columns.replacement(),
    resultant_length_squared: float64({
      symbol: 'R̄²_b',
      description:
        '‖E[g_ξ/‖g_ξ‖]‖²; sampled, from pairs of different draws, so that it has no bias. NaN where a g_ξ is 0.',
    }),
    resultant_length_squared_standard_error: columns.standardError(
      'resultant_length_squared',
      'by the jackknife, 0 where it is exact, NaN where all draws are the same',
    ),
    gradient_norm_mean: float64({ symbol: 'E‖g_ξ‖', description: 'Mean length of the batch gradient.' }),
    gradient_norm_std_over_mean: float64({
      symbol: 'std‖g_ξ‖/E‖g_ξ‖',
      description: 'Spread of the length; where it is small, R̄²_b is close to ρ_b.',
    }),
    draws: columns.draws(),
  },
});

/** A row of `resultantLength`. */
export interface ResultantLengthRow extends Row<typeof table> {}

/** Options of `resultantLength`. */
export type ResultantLengthOptions = OptionsOf<typeof resultantLength>;

/**
 * The squared mean resultant length R̄²_b = ‖E_ξ[g_ξ/‖g_ξ‖]‖² of the batch gradient g_ξ [m], and how its length varies.
 *
 * For unit vectors u_k of independent draws, ‖Σ u_k‖² = K + Σ_{k≠l} u_kᵀu_l, so (‖Σ u_k‖² − K)/(K(K − 1)) has mean
 * R̄²_b: the plain average ‖Σ u_k/K‖² would be too large by (1 − R̄²_b)/K. It may come out below 0 where R̄²_b is
 * near 0.
 *
 * For b = 1, where the layers give the norms of per-example gradients, and for the full batch it is exact.
 *
 * It does not weigh batches by the size of their gradient, as ρ_b does.
 *
 * Source: Lee and Jang (2023), Section 4.3; Mardia, Jupp and Mardia (2000).
 *
 * @throws BrinkError where an option is out of range.
 * @example
 * import { gradientDescent, leastSquares, resultantLength } from 'brink';
 * import { firstValueFrom } from 'rxjs';
 *
 * const objective = leastSquares({ X: [[1, 0], [0, 2]], y: [1, 1] });
 * const steps = gradientDescent(objective, { learningRate: 0.5, steps: 0, initialWeights: [0, 0] });
 * const row = await firstValueFrom(steps.pipe(resultantLength({ batchSizes: [1] })));
 * console.log(row.resultant_length_squared, row.gradient_norm_mean); // 0.5 1.5
 * @see gradientConcentration
 */
export const resultantLength = probe({
  name: 'resultantLength',
  asks: 'Do batch gradients agree in direction?',
  table,
  cost: 'for each b K·b/n gradients, of which K vectors of m are held at the step, and K more while they are measured; 2 gradients for b = 1 where it is exact.',
  options: {
    batchSizes: usual.neededBatchSizes(),
    replacement: usual.replacement(),
    draws: usual.draws(32, 3),
    seed: usual.seed(),
  },
  begin:
    ({ batchSizes, replacement, draws, seed }, { exampleCount: n, exampleNorms }): Measurement<ResultantLengthRow> =>
    async (point, step) => {
      const rows: ResultantLengthRow[] = [];
      for (const batchSize of batchSizes) {
        const draw = { seed, step: step.index, batchSize, replacement };
        const single = batchSize === 1 && exampleNorms ? await ofSingleExamples(point) : null;
        const measured = isFullBatch(n, batchSize, replacement)
          ? await ofFullBatch(point)
          : (single ?? (await ofSampledBatches(point, draw, draws)));
        rows.push({ step: step.index, batch_size: batchSize, replacement, ...measured });
      }
      return rows;
    },
});

/** What is measured of one batch size. */
type Measured = Omit<ResultantLengthRow, 'step' | 'batch_size' | 'replacement'>;

/** There is one batch: its direction has the length 1. */
async function ofFullBatch(point: Point): Promise<Measured> {
  const length = norm(await point.gradient());
  return {
    resultant_length_squared: length > 0 ? 1 : Number.NaN,
    resultant_length_squared_standard_error: 0,
    gradient_norm_mean: length,
    gradient_norm_std_over_mean: 0 / length,
    draws: 0,
  };
}

/**
 * Over all examples: E[g_i/‖g_i‖] is the gradient with weights 1/(n‖g_i‖); null where a ‖g_i‖² is 0, or below
 * float32's least number.
 */
async function ofSingleExamples(point: Point): Promise<Measured | null> {
  const norms = (await point.exampleNormsSquared()).map(Math.sqrt);
  if (norms.includes(0)) return null;
  const direction = await point.weightedGradient(norms.map((x) => 1 / (norms.length * x)));
  return {
    resultant_length_squared: dot(direction, direction),
    resultant_length_squared_standard_error: 0,
    gradient_norm_mean: mean(norms),
    gradient_norm_std_over_mean: Math.sqrt(covariance(norms, norms)) / mean(norms),
    draws: 0,
  };
}

async function ofSampledBatches(point: Point, draw: BatchDraw, draws: number): Promise<Measured> {
  const units: Float32Array[] = [];
  const norms = new Float64Array(draws);
  const sum = new Float64Array(point.objective.paramCount);
  for (let k = 0; k < draws; k++) {
    const gradient = await sampledGradient(point, draw, k);
    const length = norm(gradient);
    norms[k] = length;
    units.push(gradient.map((g) => g / length));
    addScaled(sum, units[k]!, 1);
  }
  const squared = dot(sum, sum);
  const pairs = (total: number, count: number) => (total - count) / (count * (count - 1));
  // Leaving out draw k: ‖Σ u − u_k‖² = ‖Σ u‖² − 2 u_kᵀΣ u + 1.
  const without = Float64Array.from(units, (u) => pairs(squared - 2 * dot(u, sum) + 1, draws - 1));
  const isKnown = tellingDraws(point.objective.exampleCount, draw, draws) > 1;
  return {
    resultant_length_squared: pairs(squared, draws),
    resultant_length_squared_standard_error: isKnown
      ? Math.sqrt((draws - 1) * covariance(without, without))
      : Number.NaN,
    gradient_norm_mean: mean(norms),
    gradient_norm_std_over_mean: Math.sqrt((covariance(norms, norms) * draws) / (draws - 1)) / mean(norms),
    draws,
  };
}
