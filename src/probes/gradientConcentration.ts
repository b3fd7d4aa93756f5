import type { OperatorFunction } from 'rxjs';
import { requireInteger } from '../core/errors.ts';
import type { Objective, Point } from '../core/Objective.ts';
import type { Step } from '../core/Step.ts';
import { bool, defineTable, float64, int32, type Row } from '../core/Table.ts';
import { estimateRatio, estimateSum, noiseTrace } from '../estimators/gradientNoise.ts';
import { sampledBatch } from '../estimators/sampledBatches.ts';
import { dot } from '../linalg/vector.ts';
import { measure } from '../operators/measure.ts';
import { isFullBatch } from '../theory/isFullBatch.ts';
import { samplingCoefficient } from '../theory/samplingCoefficient.ts';
import { requireBatchSizes } from './requireBatchSizes.ts';
import { requireUncoupled } from './requireUncoupled.ts';

const table = defineTable({
  name: 'concentration',
  description: 'Gradient concentration at a step, for each batch size.',
  key: ['step', 'batch_size'],
  columns: {
    step: int32({ symbol: 't', description: 'The step.' }),
    batch_size: int32({ symbol: 'b', description: 'Examples in a batch.' }),
    replacement: bool({ symbol: '', description: 'Whether batches are drawn with replacement.' }),
    rho: float64({ symbol: 'ρ_b', description: 'Gradient concentration, tr(S_n)/tr(S_b).' }),
    rho_standard_error: float64({ symbol: '', description: 'Of rho; 0 where it is exact.' }),
    trace_S_b: float64({ symbol: 'tr(S_b)', description: 'Second moment of the batch gradient, E‖g_ξ‖².' }),
    trace_S_b_standard_error: float64({ symbol: '', description: 'Of trace_S_b.' }),
    trace_S_n: float64({ symbol: 'tr(S_n)', description: '‖∇L‖².' }),
    sampling_coefficient: float64({ symbol: 'γ_{n,b}', description: '(n−b)/(n−1) without replacement, 1 with it.' }),
    draws: int32({ symbol: 'K', description: 'Independent draws behind the standard error; 0: it is exact.' }),
  },
});

export interface GradientConcentrationOptions {
  /** b, each 1 … n; default [1]. */
  readonly batchSizes?: readonly number[];
  /** Whether batches are drawn with replacement, default false. */
  readonly replacement?: boolean;
  /** 'examples' (default): from the gradients of the examples, for every b at once. 'batches': sampled batches, a set for each b. */
  readonly estimator?: 'examples' | 'batches';
  /** K, at least 2, default 16. Nothing is drawn where 'examples' is exact. */
  readonly draws?: number;
  /** Of the draws, default 0. */
  readonly seed?: number;
}

/**
 * The gradient concentration ρ_b = tr(S_n)/tr(S_b) = ‖∇L‖²/E_ξ‖g_ξ‖² for every batch size at once, with its standard error.
 *
 * By identity (1), tr(S_b) = ‖∇L‖² + (γ_{n,b}/b) tr(C_1). Where the layers give the norms of the per-example gradients (dense,
 * convolution, bias, scale), tr(C_1) = (1/n) Σ ‖g_i‖² − ‖∇L‖² is exact; else tr(C_1) = E‖a‖² over random signs z with
 * a = n^{−1/2} Σ (z_i − z̄) g_i [m]. It is interactionAwareSharpness without the Hessian: no product is needed.
 *
 * With batch normalisation a batch is normalised over itself, E_ξ[g_ξ] is not ∇L, and ρ_b may exceed 1; only 'batches' serves.
 *
 * It does not say whether training is stable, and near a stationary point (‖∇L‖ → 0) it tends to 0 for every b < n.
 *
 * Cost: 'examples' ∇L and one gradient more where it is exact, else K; 'batches' K·b/n gradients for each b. Draws are shared with interactionAwareSharpness.
 *
 * @param objective The training loss.
 * @param options `batchSizes` ([1]), `replacement` (false), `estimator` ('examples'), `draws` (16), `seed` (0).
 * @throws BrinkError at the call where an option is out of range, or 'examples' is asked of an objective with batch normalisation.
 * Source: Lee and Jang (2023), Definition 2, equations (1) and (17).
 */
export function gradientConcentration(
  objective: Objective,
  options: GradientConcentrationOptions = {},
): OperatorFunction<Step, Row<typeof table>> {
  const who = 'gradientConcentration';
  const n = objective.exampleCount;
  const { batchSizes = [1], replacement = false, estimator = 'examples', draws = 16, seed = 0 } = options;
  const isFull = (b: number) => isFullBatch(n, b, replacement);
  if (estimator === 'examples' && !batchSizes.every(isFull)) {
    requireUncoupled(who, objective, "Use estimator: 'batches'.");
  }
  requireBatchSizes(who, batchSizes, objective);
  requireInteger(who, 'draws', draws, 2);

  /** K draws whose mean is tr(S_b) − exact. */
  async function drawTraces(point: Point, step: number, b: number, normSquared: number) {
    if (isFull(b)) return { exact: normSquared, traces: new Float64Array(draws) };
    if (estimator === 'examples') {
      const share = samplingCoefficient(n, b, replacement) / b;
      const { exact, traces } = await noiseTrace(point, seed, step, draws);
      return { exact: normSquared + share * exact, traces: traces.map((trace) => share * trace) };
    }
    const traces = new Float64Array(draws);
    for (let k = 0; k < draws; k++) {
      const batch = sampledBatch(n, { seed, step, batchSize: b, replacement }, k);
      const { gradient } = await point.batchGradient(batch);
      traces[k] = dot(gradient, gradient);
    }
    return { exact: 0, traces };
  }

  return measure(objective, async (point, step) => {
    const gradient = await point.gradient();
    const traceSn = dot(gradient, gradient);
    const isExact = (b: number) => isFull(b) || (estimator === 'examples' && objective.exampleNorms);
    const rows: Row<typeof table>[] = [];
    for (const b of batchSizes) {
      const { exact, traces } = await drawTraces(point, step.index, b, traceSn);
      const rho = estimateRatio(traceSn, new Float64Array(draws), exact, traces);
      const second = estimateSum(exact, traces);
      rows.push({
        step: step.index,
        batch_size: b,
        replacement,
        rho: rho.value,
        rho_standard_error: rho.standardError,
        trace_S_b: second.value,
        trace_S_b_standard_error: second.standardError,
        trace_S_n: traceSn,
        sampling_coefficient: samplingCoefficient(n, b, replacement),
        draws: isExact(b) ? 0 : draws,
      });
    }
    return rows;
  });
}
gradientConcentration.table = table;
