import * as columns from '../core/columns.ts';
import { defineTable, float64, type Row } from '../core/Table.ts';
import * as usual from '../core/usualOptions.ts';
import { estimateBatchSharpness } from '../estimators/estimateBatchSharpness.ts';
import type { Measurement } from '../operators/measure.ts';
import { isFullBatch } from '../theory/isFullBatch.ts';
import { stabilityEdge } from '../theory/stabilityEdge.ts';
import { type OptionsOf, probe } from './probe.ts';

const table = defineTable({
  name: 'batch_sharpness',
  description: 'Batch sharpness at a step, for each batch size.',
  key: ['step', 'batch_size'],
  columns: {
    step: columns.step(),
    batch_size: columns.batchSize(),
    replacement: columns.replacement(),
    batch_sharpness: float64({
      symbol: 'E[g_ξᵀH_ξg_ξ/‖g_ξ‖²]',
      description: "Curvature of the batch's own loss along its own gradient, on average.",
      scale: 'curvature',
    }),
    batch_sharpness_standard_error: columns.standardError('batch_sharpness', '0 for the full batch'),
    edge: columns.edge(),
    draws: columns.draws(),
  },
});

/** A row of `batchSharpness`. */
export interface BatchSharpnessRow extends Row<typeof table> {}

/** Options of `batchSharpness`. */
export type BatchSharpnessOptions = OptionsOf<typeof batchSharpness>;

/**
 * The batch sharpness E_ξ[g_ξᵀ H_ξ g_ξ / ‖g_ξ‖²], H_ξ [m × m] the Hessian of the batch's own loss: the rival
 * characterisation of the edge for SGD, said to settle at 2/η where the interaction-aware sharpness is bounded on
 * average over time.
 *
 * It does not describe the full loss: a batch can be steep where L is flat. Draws with g_ξ = 0 make it NaN.
 *
 * Source: Andreyev and Beneventano (2024).
 *
 * @throws BrinkError where an option is out of range.
 * @example
 * import { batchSharpness, gradientDescent, leastSquares } from 'brink';
 * import { firstValueFrom } from 'rxjs';
 *
 * const objective = leastSquares({ X: [[1, 0], [0, 2]], y: [1, 1] });
 * const steps = gradientDescent(objective, { learningRate: 0.5, steps: 1, initialWeights: [0, 0] });
 * const { batch_sharpness, edge } = await firstValueFrom(steps.pipe(batchSharpness({ batchSizes: [2] })));
 * console.log(batch_sharpness, edge); // 1.7 4
 * @see interactionAwareSharpness, edge
 */
export const batchSharpness = probe({
  name: 'batchSharpness',
  asks: "How sharp is the batch's own loss along its own gradient? The rival measure for SGD",
  table,
  cost: 'for each b and draw b/n gradients and b/n products, for b = n H∇L; K vectors of m are held at the step for each b, for other probes with the same draws.',
  options: {
    batchSizes: usual.neededBatchSizes(),
    replacement: usual.replacement(),
    draws: usual.draws(),
    seed: usual.seed(),
  },
  begin:
    ({ batchSizes, replacement, draws, seed }, { exampleCount: n }): Measurement<BatchSharpnessRow> =>
    async (point, step) => {
      const rows: BatchSharpnessRow[] = [];
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
    },
});
