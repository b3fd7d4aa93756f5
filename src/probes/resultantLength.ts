import type { OperatorFunction } from 'rxjs';
import { requireInteger } from '../core/errors.ts';
import type { Objective, Point } from '../core/Objective.ts';
import type { Step } from '../core/Step.ts';
import { bool, defineTable, float64, int32, type Row } from '../core/Table.ts';
import { type BatchDraw, sampledBatch } from '../estimators/sampledBatches.ts';
import { addScaled, covariance, dot, mean, norm } from '../linalg/vector.ts';
import { measure } from '../operators/measure.ts';
import { isFullBatch } from '../theory/isFullBatch.ts';
import { requireBatchSizes } from './requireBatchSizes.ts';

const table = defineTable({
  name: 'resultant_length',
  description: 'How much the directions of batch gradients agree at a step, for each batch size.',
  key: ['step', 'batch_size'],
  columns: {
    step: int32({ symbol: 't', description: 'The step.' }),
    batch_size: int32({ symbol: 'b', description: 'Examples in a batch.' }),
    replacement: bool({ symbol: '', description: 'Whether batches are drawn with replacement.' }),
    resultant_length_squared: float64({
      symbol: 'R̄²_b',
      description:
        '‖E[g_ξ/‖g_ξ‖]‖²; sampled, from pairs of different draws, so that it has no bias. NaN where a g_ξ is 0.',
    }),
    resultant_length_squared_standard_error: float64({
      symbol: '',
      description: 'Of resultant_length_squared, by the jackknife.',
    }),
    gradient_norm_mean: float64({ symbol: 'E‖g_ξ‖', description: 'Mean length of the batch gradient.' }),
    gradient_norm_std_over_mean: float64({
      symbol: 'std‖g_ξ‖/E‖g_ξ‖',
      description: 'Spread of the length; where it is small, R̄²_b is close to ρ_b.',
    }),
    draws: int32({ symbol: 'K', description: 'Independent draws; 0: it is exact.' }),
  },
});

export interface ResultantLengthOptions {
  /** b, each 1 … n. */
  readonly batchSizes: readonly number[];
  /** Whether batches are drawn with replacement, default false. */
  readonly replacement?: boolean;
  /** K, at least 3, default 32. */
  readonly draws?: number;
  /** Of the draws, default 0. */
  readonly seed?: number;
}

/**
 * The squared mean resultant length R̄²_b = ‖E_ξ[g_ξ/‖g_ξ‖]‖² of the batch gradient g_ξ [m], and how its length varies.
 *
 * For unit vectors u_k of independent draws, ‖Σ u_k‖² = K + Σ_{k≠l} u_kᵀu_l, so (‖Σ u_k‖² − K)/(K(K − 1)) has mean R̄²_b: the
 * plain average ‖Σ u_k/K‖² would be too large by (1 − R̄²_b)/K. It may come out below 0 where R̄²_b is near 0.
 *
 * For b = 1, where the layers give the norms of per-example gradients, and for the full batch it is exact.
 *
 * It does not weigh batches by the size of their gradient, as ρ_b does.
 *
 * Cost: for each b, K·b/n gradients; 2 for b = 1 where it is exact.
 *
 * @param objective The training loss.
 * @param options `batchSizes`, `replacement` (false), `draws` (32), `seed` (0).
 * @throws BrinkError at the call where an option is out of range.
 * Source: Lee and Jang (2023), Section 4.3; Mardia, Jupp and Mardia (2000).
 */
export function resultantLength(
  objective: Objective,
  options: ResultantLengthOptions,
): OperatorFunction<Step, Row<typeof table>> {
  const who = 'resultantLength';
  const n = objective.exampleCount;
  const { batchSizes, replacement = false, draws = 32, seed = 0 } = options;
  requireBatchSizes(who, batchSizes, objective);
  requireInteger(who, 'draws', draws, 3);
  return measure(objective, async (point, step) => {
    const rows: Row<typeof table>[] = [];
    for (const batchSize of batchSizes) {
      const draw = { seed, step: step.index, batchSize, replacement };
      const single = batchSize === 1 && objective.exampleNorms ? await ofSingleExamples(point) : null;
      const measured = isFullBatch(n, batchSize, replacement)
        ? await ofFullBatch(point)
        : (single ?? (await ofSampledBatches(point, draw, draws)));
      rows.push({ step: step.index, batch_size: batchSize, replacement, ...measured });
    }
    return rows;
  });
}

/** What is measured of one batch size. */
type Measured = Omit<Row<typeof table>, 'step' | 'batch_size' | 'replacement'>;

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

/** Over all examples: E[g_i/‖g_i‖] is the gradient with weights 1/(n‖g_i‖); null where a ‖g_i‖² is 0, or below float32's least number. */
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
    const { gradient } = await point.batchGradient(sampledBatch(point.objective.exampleCount, draw, k));
    const length = norm(gradient);
    norms[k] = length;
    units.push(gradient.map((g) => g / length));
    addScaled(sum, units[k]!, 1);
  }
  const squared = dot(sum, sum);
  const pairs = (total: number, count: number) => (total - count) / (count * (count - 1));
  // Leaving out draw k: ‖Σ u − u_k‖² = ‖Σ u‖² − 2 u_kᵀΣ u + 1.
  const without = Float64Array.from(units, (u) => pairs(squared - 2 * dot(u, sum) + 1, draws - 1));
  return {
    resultant_length_squared: pairs(squared, draws),
    resultant_length_squared_standard_error: Math.sqrt((draws - 1) * covariance(without, without)),
    gradient_norm_mean: mean(norms),
    gradient_norm_std_over_mean: Math.sqrt((covariance(norms, norms) * draws) / (draws - 1)) / mean(norms),
    draws,
  };
}

resultantLength.table = table;
