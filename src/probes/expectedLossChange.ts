import type { OperatorFunction } from 'rxjs';
import { requireInteger } from '../core/errors.ts';
import type { Objective } from '../core/Objective.ts';
import type { Step } from '../core/Step.ts';
import { bool, defineTable, float64, int32, type Row } from '../core/Table.ts';
import { sampledBatch } from '../estimators/sampledBatches.ts';
import { dot, mean, standardError } from '../linalg/vector.ts';
import { measure } from '../operators/measure.ts';
import { isFullBatch } from '../theory/isFullBatch.ts';
import { requireBatchSizes } from './requireBatchSizes.ts';

const table = defineTable({
  name: 'loss_change',
  description:
    'The expected change of the loss over one plain step of SGD, beside its second-order prediction, for each batch size.',
  key: ['step', 'batch_size'],
  columns: {
    step: int32({ symbol: 't', description: 'The step.' }),
    batch_size: int32({ symbol: 'b', description: 'Examples in a batch.' }),
    replacement: bool({ symbol: '', description: 'Whether batches are drawn with replacement.' }),
    loss_change: float64({ symbol: 'E[L_{t+1}] − L_t', description: 'Mean of L(θ − ηg_ξ) − L(θ) over the draws.' }),
    loss_change_standard_error: float64({ symbol: '', description: 'Of loss_change; 0 for the full batch.' }),
    normalized_change: float64({
      symbol: '(E[L_{t+1}] − L_t)/tr(S_n)',
      description: 'The ordinate of Figures 1 and 2.',
    }),
    interaction: float64({
      symbol: 'tr(HS_b)/tr(S_n)',
      description: 'The abscissa of Figures 1 and 2, from the same draws.',
    }),
    interaction_standard_error: float64({ symbol: '', description: 'Of interaction.' }),
    predicted_change: float64({
      symbol: '(η²/2)tr(S_n)(tr(HS_b)/tr(S_n) − 2/η)',
      description: 'The second-order prediction (7) from the same draws: −η g_ξᵀ∇L + (η²/2) g_ξᵀHg_ξ with E[g_ξ] = ∇L.',
    }),
    edge: float64({ symbol: '2/η', description: 'Where the predicted change is 0.' }),
    draws: int32({ symbol: 'K', description: 'Independent draws; 0 for the full batch, where nothing is drawn.' }),
  },
});

export interface ExpectedLossChangeOptions {
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
 * E_ξ[L(θ − ηg_ξ)] − L(θ) over K sampled batches, beside its second-order prediction (7):
 * (η²/2) tr(S_n) (tr(HS_b)/tr(S_n) − 2/η), which is exact where L is quadratic.
 *
 * With batch normalisation a batch is normalised over itself, so E[g_ξ] is not ∇L and the prediction is off at first order too.
 *
 * The step is the plain one, −ηg_ξ, also where training uses momentum. Where measurement and prediction part, the third order
 * matters; that the loss rises at one step does not prove that training is unstable.
 *
 * Cost: for each b and draw b/n gradients, one forward pass and one product.
 *
 * @param objective The training loss.
 * @param options `batchSizes`, `replacement` (false), `draws` (16), `seed` (0).
 * @throws BrinkError at the call where an option is out of range.
 * Source: Lee and Jang (2023), equations (7) and (12), Figures 1 and 2.
 */
export function expectedLossChange(
  objective: Objective,
  options: ExpectedLossChangeOptions,
): OperatorFunction<Step, Row<typeof table>> {
  const who = 'expectedLossChange';
  const n = objective.exampleCount;
  const { batchSizes, replacement = false, draws = 16, seed = 0 } = options;
  requireBatchSizes(who, batchSizes, objective);
  requireInteger(who, 'draws', draws, 2);
  return measure(objective, async (point, step) => {
    const eta = step.learningRate;
    // The loss comes with the gradient.
    const full = await point.gradient();
    const loss = await point.loss();
    const traceSn = dot(full, full);
    const rows: Row<typeof table>[] = [];
    for (const batchSize of batchSizes) {
      const exact = isFullBatch(n, batchSize, replacement);
      const change = new Float64Array(exact ? 1 : draws);
      const traceHS = new Float64Array(change.length);
      for (const k of change.keys()) {
        const batch = sampledBatch(n, { seed, step: step.index, batchSize, replacement }, k);
        const gradient = exact ? full : (await point.batchGradient(batch)).gradient;
        traceHS[k] = dot(gradient, (await point.hessianVector(gradient)).product);
        change[k] = (await point.moved(gradient, -eta).loss()) - loss;
      }
      const interaction = mean(traceHS) / traceSn;
      rows.push({
        step: step.index,
        batch_size: batchSize,
        replacement,
        loss_change: mean(change),
        loss_change_standard_error: exact ? 0 : standardError(change),
        normalized_change: mean(change) / traceSn,
        interaction,
        interaction_standard_error: exact ? 0 : standardError(traceHS) / traceSn,
        predicted_change: (eta ** 2 / 2) * mean(traceHS) - eta * traceSn,
        edge: 2 / eta,
        draws: exact ? 0 : draws,
      });
    }
    return rows;
  });
}
expectedLossChange.table = table;
