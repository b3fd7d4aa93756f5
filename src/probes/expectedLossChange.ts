import * as columns from '../core/columns.ts';
import { oneOf } from '../core/optionKinds.ts';
import { defineTable, float64, type Row } from '../core/Table.ts';
import * as usual from '../core/usualOptions.ts';
import { estimateRatio } from '../estimators/gradientNoise.ts';
import { hessianEigenpairs } from '../estimators/hessianEigenpairs.ts';
import { requireUncoupled } from '../estimators/require.ts';
import { sampledGradient, sampledNextLoss, tellingDraws } from '../estimators/sampledBatches.ts';
import { secondMoments } from '../estimators/secondMoments.ts';
import type { Eigenpairs } from '../linalg/eigenpairs.ts';
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
      description: 'Mean of L(θ − ηg_ξ) − L(θ) over the draws, as it is measured, with all of its noise.',
      scale: 'loss change',
    }),
    loss_change_standard_error: columns.standardError('loss_change', '0 for the full batch'),
    interaction: float64({
      symbol: 'tr(HS_b)/tr(S_n)',
      description: 'The abscissa x of Figures 1 and 2, by `estimator`.',
      scale: 'curvature',
    }),
    interaction_standard_error: columns.standardError('interaction'),
    residual: float64({
      symbol: 'r',
      description:
        'Mean of L(θ − ηg_ξ) − L(θ) + ηg_ξᵀ∇L − (η²/2)g_ξᵀHg_ξ over the draws, over tr(S_n): what second order misses.',
    }),
    residual_standard_error: columns.standardError('residual', '0 for the full batch'),
    normalized_change: float64({
      symbol: '(η²/2)(x − 2/η) + r',
      description: 'The ordinate y of Figures 1 and 2, (E[L_{t+1}] − L_t)/tr(S_n), without the noise of known mean.',
    }),
    normalized_change_standard_error: columns.standardError('normalized_change'),
    predicted_change: float64({
      symbol: '(η²/2)tr(S_n)(x − 2/η)',
      description: 'The second-order prediction (7) of the change, with E[g_ξ] = ∇L.',
      scale: 'loss change',
      isReference: true,
    }),
    plain_edge: columns.plainEdge(),
    draws: columns.draws(),
  },
});

/** A row of `expectedLossChange`. */
export interface LossChangeRow extends Row<typeof table> {}

/** Options of `expectedLossChange`. */
export type ExpectedLossChangeOptions = OptionsOf<typeof expectedLossChange>;

/**
 * E_ξ[L(θ − ηg_ξ)] − L(θ) over K sampled batches, beside its second-order prediction (7):
 * (η²/2) tr(S_n) (x − 2/η) with x = tr(HS_b)/tr(S_n), which is exact where L is quadratic.
 *
 * The mean of the changes alone makes a poor ordinate y: it carries −ηg_ξᵀ∇L, whose mean −η tr(S_n) is known and whose
 * noise is most of all there is. With x as noisy, a line fitted to y against x comes out too flat by itself, also
 * where L is quadratic and the slope is η²/2. So the draws give only what second order misses, the residual
 *
 *     r = mean_ξ(L(θ − ηg_ξ) − L(θ) + ηg_ξᵀ∇L − (η²/2) g_ξᵀHg_ξ)/tr(S_n),  y = (η²/2)(x − 2/η) + r,
 *
 * with an error of r that is a few percent of that of the plain mean. On a quadratic r is 0 and every (x, y) lies on
 * the line. Else noise in x moves points along that line and a fitted slope towards η²/2: take x from
 * `estimator: 'examples'`, whose eigenpairs leave little of it, and whose error is independent of that of r.
 *
 * With batch normalisation a batch is normalised over itself, so E[g_ξ] is not ∇L: prediction and y leave out what that
 * adds at first order, `loss_change` has it, and only 'batches' serves.
 *
 * The step is the plain one, −ηg_ξ, also where training uses momentum. Where measurement and prediction part, the
 * third order matters; that the loss rises at one step does not prove that training is unstable. Where the loss barely
 * changes, float32's rounding of it, some 1e-7 of L, is a part of r that no error shows. At ∇L = 0 what is divided by
 * tr(S_n) is NaN or infinite.
 *
 * Source: Lee and Jang (2023), equations (7) and (12), Figures 1 and 2.
 *
 * @throws BrinkError where an option is out of range, or 'examples' is asked of an objective with batch normalisation.
 * @example
 * import { expectedLossChange, gradientDescent, leastSquares } from 'brink';
 * import { firstValueFrom } from 'rxjs';
 *
 * const objective = leastSquares({ X: [[1, 0], [0, 2]], y: [1, 1] });
 * const steps = gradientDescent(objective, { learningRate: 0.5, steps: 1, initialWeights: [0, 0] });
 * const row = await firstValueFrom(steps.pipe(expectedLossChange({ batchSizes: [2] })));
 * console.log(row.loss_change, row.predicted_change, row.residual); // -0.359375 -0.359375 0
 * @see interactionAwareSharpness, lossSlice, theoremOne
 */
export const expectedLossChange = probe({
  name: 'expectedLossChange',
  asks: 'Will the loss rise? Beside its second-order prediction',
  table,
  cost: "H∇L, and for each b and draw b/n gradients, one forward pass and one product; 'examples' the eigenpairs, K gradients, one more where the norms are exact, and K products more for all b together, shared with interactionAwareSharpness. 2 K vectors of m are held at the step for each b, for other probes with the same draws, for 'examples' K more.",
  options: {
    batchSizes: usual.neededBatchSizes(),
    replacement: usual.replacement(),
    estimator: oneOf(['batches', 'examples'], {
      default: 'batches',
      description:
        "Where x comes from. 'batches': the batches of the draws; 'examples': the gradients of the examples, with less noise.",
    }),
    draws: usual.draws(),
    deflate: usual.deflate(0, " by 'examples'"),
    tolerance: usual.tolerance(1e-3, ' It changes the variance, not the mean.'),
    seed: usual.seed(),
  },
  needs: () => ['learningRate'],
  begin: (options, objective): Measurement<LossChangeRow> => {
    const who = 'expectedLossChange';
    const { batchSizes, replacement, estimator, draws, deflate, tolerance, seed } = options;
    const isFull = (b: number) => isFullBatch(objective.exampleCount, b, replacement);
    const fromExamples = estimator === 'examples' && !batchSizes.every(isFull);
    if (fromExamples) requireUncoupled(who, objective, "Use estimator: 'batches'.");

    let eigenpairs: Eigenpairs | null = null;
    return async (point, step) => {
      const eta = step.learningRate;
      // The loss comes with the gradient.
      const full = await point.gradient();
      const loss = await point.loss();
      const traceSn = dot(full, full);
      if (fromExamples && deflate > 0) {
        eigenpairs = await hessianEigenpairs(point, { who, count: deflate, tolerance }, eigenpairs);
      }
      const settings = { batchSizes, replacement, estimator, draws, seed, step: step.index };
      const moments = await secondMoments(point, settings, eigenpairs);
      const rows: LossChangeRow[] = [];
      for (const [j, batchSize] of batchSizes.entries()) {
        const exact = isFull(batchSize);
        const draw = { seed, step: step.index, batchSize, replacement };
        const change = new Float64Array(exact ? 1 : draws);
        const second = new Float64Array(change.length);
        const residual = new Float64Array(change.length);
        for (const k of change.keys()) {
          const gradient = exact ? full : await sampledGradient(point, draw, k);
          const { product } = await point.hessianVector(gradient);
          const next = exact ? await point.moved(full, -eta).loss() : await sampledNextLoss(point, draw, k, eta);
          change[k] = next - loss;
          second[k] = ((eta ** 2 / 2) * dot(gradient, product)) / traceSn;
          residual[k] = (change[k]! + eta * dot(gradient, full)) / traceSn - second[k]!;
        }
        const { exact: known, traceHS } = moments[j]!;
        const x = estimateRatio(known.traceHS, traceHS, traceSn, new Float64Array(draws));
        const telling = exact ? 1 : tellingDraws(objective.exampleCount, draw, draws);
        const errorOf = (values: Float64Array) => (exact ? 0 : standardError(values.subarray(0, telling)));
        const residualError = errorOf(residual);
        // By 'batches' x and r are of the same draws, by 'examples' of independent ones.
        const error =
          exact || fromExamples
            ? Math.hypot((eta ** 2 / 2) * x.standardError, residualError)
            : errorOf(second.map((value, k) => value + residual[k]!));
        rows.push({
          step: step.index,
          batch_size: batchSize,
          replacement,
          loss_change: mean(change),
          loss_change_standard_error: errorOf(change),
          interaction: x.value,
          interaction_standard_error: x.standardError,
          residual: mean(residual),
          residual_standard_error: residualError,
          normalized_change: (eta ** 2 / 2) * x.value - eta + mean(residual),
          normalized_change_standard_error: error,
          predicted_change: (eta ** 2 / 2) * (known.traceHS + mean(traceHS)) - eta * traceSn,
          plain_edge: 2 / eta,
          draws: exact ? 0 : draws,
        });
      }
      return rows;
    };
  },
});
