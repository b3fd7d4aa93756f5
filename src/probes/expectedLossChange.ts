import * as columns from '../core/columns.ts';
import { defineTable, float64, type Row } from '../core/Table.ts';
import * as usual from '../core/usualOptions.ts';
import { sampledGradient, sampledNextLoss } from '../estimators/sampledBatches.ts';
import { dot, mean, standardError } from '../linalg/vector.ts';
import type { Measurement } from '../operators/measure.ts';
import { isFullBatch } from '../theory/isFullBatch.ts';
import { type OptionsOf, probe } from './probe.ts';

const table = defineTable({
  name: 'loss_change',
  description:
    'The expected change of the loss over one plain step of SGD, beside its second-order prediction, for each batch size.',
  key: ['step', 'batch_size'],
  columns: {
    step: columns.step(),
    batch_size: columns.batchSize(),
    replacement: columns.replacement(),
    loss_change: float64({
      symbol: 'E[L_{t+1}] − L_t',
      description: 'Mean of L(θ − ηg_ξ) − L(θ) over the draws.',
      scale: 'loss change',
    }),
    loss_change_standard_error: columns.standardError('loss_change', '0 for the full batch'),
    normalized_change: float64({
      symbol: '(E[L_{t+1}] − L_t)/tr(S_n)',
      description: 'The ordinate of Figures 1 and 2.',
    }),
    interaction: float64({
      symbol: 'tr(HS_b)/tr(S_n)',
      description: 'The abscissa of Figures 1 and 2, from the same draws.',
      scale: 'curvature',
    }),
    interaction_standard_error: columns.standardError('interaction', '0 for the full batch'),
    predicted_change: float64({
      symbol: '(η²/2)tr(S_n)(tr(HS_b)/tr(S_n) − 2/η)',
      description: 'The second-order prediction (7) from the same draws: −η g_ξᵀ∇L + (η²/2) g_ξᵀHg_ξ with E[g_ξ] = ∇L.',
      scale: 'loss change',
      isReference: true,
    }),
    plain_edge: float64({
      symbol: '2/η',
      description: 'Where the predicted change is 0: the edge of the plain step, with or without momentum.',
      scale: 'curvature',
      isReference: true,
    }),
    draws: columns.draws(),
  },
});

/** A row of `expectedLossChange`. */
export interface LossChangeRow extends Row<typeof table> {}

/** Options of `expectedLossChange`. */
export type ExpectedLossChangeOptions = OptionsOf<typeof expectedLossChange>;

/**
 * E_ξ[L(θ − ηg_ξ)] − L(θ) over K sampled batches, beside its second-order prediction (7):
 * (η²/2) tr(S_n) (tr(HS_b)/tr(S_n) − 2/η), which is exact where L is quadratic.
 *
 * With batch normalisation a batch is normalised over itself, so E[g_ξ] is not ∇L and the prediction is off at first
 * order too.
 *
 * The step is the plain one, −ηg_ξ, also where training uses momentum. Where measurement and prediction part, the
 * third order matters; that the loss rises at one step does not prove that training is unstable.
 *
 * Source: Lee and Jang (2023), equations (7) and (12), Figures 1 and 2.
 *
 * @throws BrinkError where an option is out of range.
 * @example
 * import { expectedLossChange, gradientDescent, leastSquares } from 'brink';
 * import { firstValueFrom } from 'rxjs';
 *
 * const objective = leastSquares({ X: [[1, 0], [0, 2]], y: [1, 1] });
 * const steps = gradientDescent(objective, { learningRate: 0.5, steps: 1, initialWeights: [0, 0] });
 * const row = await firstValueFrom(steps.pipe(expectedLossChange({ batchSizes: [2] })));
 * console.log(row.loss_change, row.predicted_change); // -0.359375 -0.359375
 * @see interactionAwareSharpness, lossSlice, theoremOne
 */
export const expectedLossChange = probe({
  name: 'expectedLossChange',
  asks: 'Will the loss rise? Beside its second-order prediction',
  table,
  cost: 'for each b and draw b/n gradients, one forward pass and one product; 2 K vectors of m are held at the step for each b, for other probes with the same draws.',
  options: {
    batchSizes: usual.neededBatchSizes(),
    replacement: usual.replacement(),
    draws: usual.draws(),
    seed: usual.seed(),
  },
  begin:
    ({ batchSizes, replacement, draws, seed }, { exampleCount: n }): Measurement<LossChangeRow> =>
    async (point, step) => {
      const eta = step.learningRate;
      // The loss comes with the gradient.
      const full = await point.gradient();
      const loss = await point.loss();
      const traceSn = dot(full, full);
      const rows: LossChangeRow[] = [];
      for (const batchSize of batchSizes) {
        const exact = isFullBatch(n, batchSize, replacement);
        const draw = { seed, step: step.index, batchSize, replacement };
        const change = new Float64Array(exact ? 1 : draws);
        const traceHS = new Float64Array(change.length);
        for (const k of change.keys()) {
          const gradient = exact ? full : await sampledGradient(point, draw, k);
          traceHS[k] = dot(gradient, (await point.hessianVector(gradient)).product);
          const next = exact ? await point.moved(full, -eta).loss() : await sampledNextLoss(point, draw, k, eta);
          change[k] = next - loss;
        }
        rows.push({
          step: step.index,
          batch_size: batchSize,
          replacement,
          loss_change: mean(change),
          loss_change_standard_error: exact ? 0 : standardError(change),
          normalized_change: mean(change) / traceSn,
          interaction: mean(traceHS) / traceSn,
          interaction_standard_error: exact ? 0 : standardError(traceHS) / traceSn,
          predicted_change: (eta ** 2 / 2) * mean(traceHS) - eta * traceSn,
          plain_edge: 2 / eta,
          draws: exact ? 0 : draws,
        });
      }
      return rows;
    },
});
