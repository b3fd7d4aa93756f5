import * as columns from '../core/columns.ts';
import { batchSizes } from '../core/optionKinds.ts';
import { defineTable, float64, type Row } from '../core/Table.ts';
import * as usual from '../core/usualOptions.ts';
import { estimateRatio, estimateSum } from '../estimators/gradientNoise.ts';
import { noiseScale, noiseShare } from '../estimators/noiseScales.ts';
import { requireUncoupled } from '../estimators/require.ts';
import { runningRatio } from '../estimators/runningRatio.ts';
import { momentTraces } from '../estimators/secondMoments.ts';
import { dot } from '../linalg/vector.ts';
import type { Measurement } from '../operators/measure.ts';
import { isFullBatch } from '../theory/isFullBatch.ts';
import { samplingCoefficient } from '../theory/samplingCoefficient.ts';
import { type OptionsOf, probe } from './probe.ts';

const table = defineTable({
  name: 'concentration',
  description: 'Gradient concentration at a step, for each batch size.',
  key: ['step', 'batch_size'],
  columns: {
    step: columns.step(),
    batch_size: columns.batchSize(),
    replacement: columns.replacement(),
    rho: float64({ symbol: 'ρ_b', description: 'Gradient concentration, tr(S_n)/tr(S_b).' }),
    rho_standard_error: columns.standardError('rho'),
    ...columns.runningRho('b'),
    ...columns.noiseScale(),
    trace_S_b: float64({
      symbol: 'tr(S_b)',
      description: 'Second moment of the batch gradient, E‖g_ξ‖².',
      scale: 'second moment',
    }),
    trace_S_b_standard_error: columns.standardError('trace_S_b'),
    trace_S_n: columns.traceSn(),
    sampling_coefficient: float64({ symbol: 'γ_{n,b}', description: '(n−b)/(n−1) without replacement, 1 with it.' }),
    draws: columns.draws(),
  },
});

/** A row of `gradientConcentration`. */
export interface ConcentrationRow extends Row<typeof table> {}

/** Options of `gradientConcentration`. */
export type GradientConcentrationOptions = OptionsOf<typeof gradientConcentration>;

/**
 * The gradient concentration ρ_b = tr(S_n)/tr(S_b) = ‖∇L‖²/E_ξ‖g_ξ‖² for every batch size at once, with its standard
 * error.
 *
 * By identity (1), tr(S_b) = ‖∇L‖² + (γ_{n,b}/b) tr(C_1). Where the layers give the norms of the per-example
 * gradients (dense, convolution, bias, scale), tr(C_1) = (1/n) Σ ‖g_i‖² − ‖∇L‖² is exact; else tr(C_1) = E‖a‖² over
 * random signs z with a = n^{−1/2} Σ (z_i − z̄) g_i [m]. It is interactionAwareSharpness without the Hessian: no
 * product is needed.
 *
 * ρ_b changes along training by orders of magnitude. The running Σ_t ‖∇L‖²/Σ_t E_ξ‖g_ξ‖² is that of the run up to the
 * step, over the steps measured: the ρ that learning rates tuned for a whole run go with (Figure 5), where ρ at the end
 * of training is ten times too small. Its error is that of the draws alone. A run that is resumed, or whose probes
 * begin afresh (`restartEvery`, a sweep's checkpoints), begins it anew: `running_from` says where, and `rhoOfRun` sums
 * over a table. B_simple = tr(C_1)/‖∇L‖² = 1/ρ_1 − 1 is McCandlish's gradient noise scale, in which ρ_b = 1/(1 +
 * γB_simple/b).
 *
 * With batch normalisation a batch is normalised over itself, E_ξ[g_ξ] is not ∇L, and ρ_b may exceed 1; only
 * 'batches' serves.
 *
 * It does not say whether training is stable, and near a stationary point (‖∇L‖ → 0) it tends to 0 for every b < n.
 *
 * Source: Lee and Jang (2023), Definition 2, equations (1) and (17); McCandlish et al. (2018) for B_simple.
 *
 * @throws BrinkError where an option is out of range, or 'examples' is asked of an objective with batch normalisation.
 * @example
 * import { gradientConcentration, gradientDescent, leastSquares } from 'brink';
 * import { firstValueFrom, toArray } from 'rxjs';
 *
 * const objective = leastSquares({ X: [[1, 0], [0, 2]], y: [1, 1] });
 * const steps = gradientDescent(objective, { learningRate: 0.5, steps: 0, initialWeights: [0, 0] });
 * const rows = await firstValueFrom(steps.pipe(gradientConcentration({ batchSizes: [1, 2] }), toArray()));
 * console.log(rows.map(({ batch_size, rho }) => [batch_size, rho])); // [ [ 1, 0.5 ], [ 2, 1 ] ]
 * @see scalingRule, rhoOfRun, interactionAwareSharpness
 */
export const gradientConcentration = probe({
  name: 'gradientConcentration',
  asks: 'How noisy is the batch? ρ_b for every b',
  table,
  cost: "'examples' ∇L and one gradient more where it is exact, else K; 'batches' K·b/n gradients for each b. Draws, a vector of m each, are shared with interactionAwareSharpness and held at the step.",
  options: {
    batchSizes: batchSizes({ default: [1], description: 'The batch sizes b.' }),
    replacement: usual.replacement(),
    estimator: usual.estimator(),
    draws: usual.draws(),
    seed: usual.seed(),
  },
  begin: ({ batchSizes, replacement, estimator, draws, seed }, objective): Measurement<ConcentrationRow> => {
    const n = objective.exampleCount;
    const isFull = (b: number) => isFullBatch(n, b, replacement);
    if (estimator === 'examples' && !batchSizes.every(isFull)) {
      requireUncoupled('gradientConcentration', objective, "Use estimator: 'batches'.");
    }
    const isExact = (b: number) => isFull(b) || (estimator === 'examples' && objective.exampleNorms);
    const running = batchSizes.map(runningRatio);
    let from: number | null = null;
    return async (point, { index: step }) => {
      from ??= step;
      const since = from;
      const gradient = await point.gradient();
      const traceSn = dot(gradient, gradient);
      const moments = await momentTraces(point, { batchSizes, replacement, estimator, draws, seed, step });
      return moments.map((moment, j) => {
        const { exact, traces } = moment;
        const b = batchSizes[j]!;
        const rho = estimateRatio(traceSn, new Float64Array(draws), exact, traces);
        const soFar = running[j]!(traceSn, moment);
        const scale = noiseScale(traceSn, moment, noiseShare(objective, b, replacement));
        const second = estimateSum(exact, traces);
        return {
          step,
          batch_size: b,
          replacement,
          rho: rho.value,
          rho_standard_error: rho.standardError,
          running_rho: soFar.value,
          running_from: since,
          running_rho_standard_error: soFar.standardError,
          noise_scale: scale?.value ?? null,
          noise_scale_standard_error: scale?.standardError ?? null,
          trace_S_b: second.value,
          trace_S_b_standard_error: second.standardError,
          trace_S_n: traceSn,
          sampling_coefficient: samplingCoefficient(n, b, replacement),
          draws: isExact(b) ? 0 : draws,
        };
      });
    };
  },
});
