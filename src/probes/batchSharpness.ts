import type { OperatorFunction } from 'rxjs';
import { requireInteger } from '../core/errors.ts';
import type { Objective } from '../core/Objective.ts';
import type { Step } from '../core/Step.ts';
import { bool, defineTable, float64, int32, type Row } from '../core/Table.ts';
import { measure } from '../operators/measure.ts';
import { isFullBatch } from '../theory/isFullBatch.ts';
import { stabilityEdge } from '../theory/stabilityEdge.ts';
import { estimateBatchSharpness } from './estimateBatchSharpness.ts';
import { requireBatchSizes } from './requireBatchSizes.ts';

const table = defineTable({
  name: 'batch_sharpness',
  description: 'Batch sharpness at a step, for each batch size.',
  key: ['step', 'batch_size'],
  columns: {
    step: int32({ symbol: 't', description: 'The step.' }),
    batch_size: int32({ symbol: 'b', description: 'Examples in a batch.' }),
    replacement: bool({ symbol: '', description: 'Whether batches are drawn with replacement.' }),
    batch_sharpness: float64({
      symbol: 'E[g_ξᵀH_ξg_ξ/‖g_ξ‖²]',
      description: "Curvature of the batch's own loss along its own gradient, on average.",
    }),
    batch_sharpness_standard_error: float64({ symbol: '', description: 'Of batch_sharpness; 0 for the full batch.' }),
    edge: float64({ symbol: '2/η', description: 'The edge of stability, (2/η)(1+β₁)/(1+2β₂).' }),
    draws: int32({ symbol: 'K', description: 'Independent draws behind the standard error.' }),
  },
});

export interface BatchSharpnessOptions {
  /** b, each 1 … n. */
  readonly batchSizes: readonly number[];
  /** Whether batches are drawn with replacement, default false. */
  readonly replacement?: boolean;
  /** K, at least 2, default 16. */
  readonly draws?: number;
  /** Of the draws, default 0. */
  readonly seed?: number;
}

/**
 * The batch sharpness E_ξ[g_ξᵀ H_ξ g_ξ / ‖g_ξ‖²], H_ξ [m × m] the Hessian of the batch's own loss: the rival characterisation
 * of the edge for SGD, said to settle at 2/η where the interaction-aware sharpness is bounded on average over time.
 *
 * It does not describe the full loss: a batch can be steep where L is flat. Draws with g_ξ = 0 make it NaN.
 *
 * Cost: for each b and draw b/n gradients and b/n products.
 *
 * @param objective The training loss.
 * @param options `batchSizes`, `replacement` (false), `draws` (16), `seed` (0).
 * @throws BrinkError at the call where an option is out of range.
 * Source: Andreyev and Beneventano (2024).
 */
export function batchSharpness(
  objective: Objective,
  options: BatchSharpnessOptions,
): OperatorFunction<Step, Row<typeof table>> {
  const who = 'batchSharpness';
  const n = objective.exampleCount;
  const { batchSizes, replacement = false, draws = 16, seed = 0 } = options;
  requireBatchSizes(who, batchSizes, objective);
  requireInteger(who, 'draws', draws, 2);
  return measure(objective, async (point, step) => {
    const rows: Row<typeof table>[] = [];
    for (const batchSize of batchSizes) {
      const draw = { seed, step: step.index, batchSize, replacement };
      const sharpness = await estimateBatchSharpness(point, draw, draws);
      rows.push({
        step: step.index,
        batch_size: batchSize,
        replacement,
        batch_sharpness: sharpness.value,
        batch_sharpness_standard_error: sharpness.standardError,
        edge: stabilityEdge(step),
        draws: isFullBatch(n, batchSize, replacement) ? 0 : draws,
      });
    }
    return rows;
  });
}
batchSharpness.table = table;
