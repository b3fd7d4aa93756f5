import * as columns from '../core/columns.ts';
import type { Point } from '../core/Objective.ts';
import { batchSizes } from '../core/optionKinds.ts';
import type { Step } from '../core/Step.ts';
import { defineTable, float64, type Row } from '../core/Table.ts';
import * as usual from '../core/usualOptions.ts';
import { checkMaxDraws, drawUntil } from '../estimators/drawUntil.ts';
import { estimateRatio, estimateSum } from '../estimators/gradientNoise.ts';
import { hessianEigenpairs } from '../estimators/hessianEigenpairs.ts';
import { hessianNoiseScale, noiseAlongQ1, noiseScale, noiseShare } from '../estimators/noiseScales.ts';
import { requireUncoupled } from '../estimators/require.ts';
import { secondMoments } from '../estimators/secondMoments.ts';
import type { Eigenpairs } from '../linalg/eigenpairs.ts';
import { dot } from '../linalg/vector.ts';
import type { Measurement } from '../operators/measure.ts';
import { isFullBatch } from '../theory/isFullBatch.ts';
import { stabilityEdge } from '../theory/stabilityEdge.ts';
import { type OptionsOf, probe } from './probe.ts';

const table = defineTable({
  name: 'sharpness',
  description: 'Interaction-aware sharpness and gradient concentration at a step, for each batch size.',
  key: ['step', 'batch_size'],
  columns: {
    step: columns.step(),
    batch_size: columns.batchSize(),
    replacement: columns.replacement(),
    ias: float64({
      symbol: '‖H‖_{S_b}',
      description: 'Interaction-aware sharpness, tr(HS_b)/tr(S_b).',
      scale: 'interaction-aware sharpness',
    }),
    ias_standard_error: columns.standardError('ias'),
    rho: float64({ symbol: 'ρ_b', description: 'Gradient concentration, tr(S_n)/tr(S_b).' }),
    rho_standard_error: columns.standardError('rho'),
    bound: float64({
      symbol: '2ρ_b/η',
      description: 'Gradient concentration times the edge: SGD is unstable where ias exceeds it.',
      scale: 'interaction-aware sharpness',
      isReference: true,
    }),
    interaction: float64({
      symbol: 'tr(HS_b)/tr(S_n)',
      description: 'The same comparison with the edge itself: ias/rho.',
      scale: 'curvature',
    }),
    interaction_standard_error: columns.standardError('interaction'),
    edge: columns.edge(),
    ...columns.learningRateOverOptimum(),
    ...columns.noiseScale(),
    ...columns.noiseScaleHessian(),
    noise_along_q1: columns.noiseAlongQ1(),
    trace_S_b: float64({
      symbol: 'tr(S_b)',
      description: 'Second moment of the batch gradient, E‖g_ξ‖².',
      scale: 'second moment',
    }),
    trace_S_b_standard_error: columns.standardError('trace_S_b'),
    trace_H_S_b: float64({ symbol: 'tr(HS_b)', description: 'E[g_ξᵀHg_ξ].' }),
    trace_H_S_b_standard_error: columns.standardError('trace_H_S_b'),
    trace_S_n: columns.traceSn(),
    draws: columns.draws(),
  },
});

/** A row of `interactionAwareSharpness`. */
export interface SharpnessRow extends Row<typeof table> {}

/** Options of `interactionAwareSharpness`. */
export type InteractionAwareSharpnessOptions = OptionsOf<typeof interactionAwareSharpness>;

/**
 * The interaction-aware sharpness ‖H‖_{S_b} = tr(HS_b)/tr(S_b) and the gradient concentration ρ_b = tr(S_n)/tr(S_b)
 * for every batch size at once, S_b = E_ξ[g_ξg_ξᵀ] [m × m], each with its standard error.
 *
 * By identity (1), S_b = S_n + (γ_{n,b}/b) C_1, so two numbers, tr(C_1) and tr(HC_1), give all b: with random signs
 * z, a = n^{−1/2} Σ (z_i − z̄) g_i has E‖a‖² = tr(C_1) and E[aᵀHa] = tr(HC_1); the part within the leading
 * eigenvectors is done exactly. As many of these as there are outputs make one draw worth a hundred, and cost as many
 * products and more. Where the layers give the norms of the per-example gradients, tr(C_1) and with it ρ_b have no
 * sampling error, and ‖a‖² is a control variate of aᵀHa. For b = n without replacement nothing is estimated:
 * ‖H‖_{S_n} = ∇LᵀH∇L/‖∇L‖².
 *
 * The same numbers say more. B_simple = tr(C_1)/‖∇L‖² = 1/ρ_1 − 1 and B_H = tr(HC_1)/∇LᵀH∇L are McCandlish's gradient
 * noise scales, batch sizes both: ρ_b = 1/(1 + γB_simple/b), tr(HS_b)/tr(S_n) = ‖H‖_{S_n}(1 + γB_H/b). η_opt =
 * tr(S_n)/tr(HS_b) is the plain step after which the expected loss on the local quadratic is least, half of the edge:
 * η/η_opt is 1 at McCandlish's optimum and 2 at Lee and Jang's edge. σ²_u = (γ/b) Var_i(g_iᵀq_1) is the noise along
 * q_1. B_simple grows without bound as examples are fitted (‖∇L‖ → 0). B_H is wild near ∇LᵀH∇L = 0: that has no
 * sampling error, so B_H is null only where float32's rounding could have made all of it.
 *
 * With batch normalisation a batch is normalised over itself: E_ξ[g_ξ] is not ∇L, identity (1) does not hold, and
 * only 'batches' serves.
 *
 * It does not prove instability of a single step: the condition ias > 2ρ_b/η speaks of the expected loss on the local
 * quadratic, and for SGD it holds as an average over time. At ∇L = 0 for b = n the ratio is NaN.
 *
 * Source: Lee and Jang (2023), Definitions 1 and 2, equations (1) and (16); McCandlish et al. (2018) for the noise
 * scales; Liao et al. (arXiv 2604.21016) for σ²_u.
 *
 * @throws BrinkError where an option is out of range, or 'examples' is asked of an objective with batch normalisation.
 * @example
 * import { gradientDescent, interactionAwareSharpness, toy } from 'brink';
 * import { lastValueFrom } from 'rxjs';
 *
 * const steps = gradientDescent(toy(), { learningRate: 2 / 32, steps: 60, initialWeights: [3, 0.1] });
 * const { ias, rho, bound } = await lastValueFrom(steps.pipe(interactionAwareSharpness()));
 * console.log(ias.toFixed(3), rho, bound); // 35.200 1 32
 * @see edge, gradientConcentration, batchSharpness
 */
export const interactionAwareSharpness = probe({
  name: 'interactionAwareSharpness',
  asks: 'Is training with batches of b stable? ‖H‖_{S_b} and its bound, for every b at once',
  table,
  cost: "H∇L: for b = n that is all. With draws K: 'examples' K gradients, one more where the norms are exact, K products and the eigenpairs, for all b together; 'batches' K products and K·b/n gradients for each b. Eigenpairs, draws and H∇L are shared with other probes; K vectors of m are held at the step, for 'batches' 2 K for each b.",
  options: {
    batchSizes: batchSizes({
      default: { text: 'n, the full batch', of: ({ exampleCount }) => [exampleCount] },
      description: 'The batch sizes b.',
    }),
    replacement: usual.replacement(),
    estimator: usual.estimator(),
    draws: usual.draws(),
    targetError: usual.targetError('the standard error of ias'),
    maxDraws: usual.maxDraws(),
    deflate: usual.deflate(0),
    tolerance: usual.tolerance(1e-3, ' It changes the variance, not the mean.'),
    seed: usual.seed(),
  },
  check: (given) => checkMaxDraws('interactionAwareSharpness', 16, given),
  begin: (options, objective): Measurement<SharpnessRow> => {
    const who = 'interactionAwareSharpness';
    const { batchSizes, replacement, estimator, deflate, tolerance, seed, ...precision } = options;
    const isFull = (b: number) => isFullBatch(objective.exampleCount, b, replacement);
    const fromExamples = estimator === 'examples' && !batchSizes.every(isFull);
    if (fromExamples) requireUncoupled(who, objective, "Use estimator: 'batches'.");

    async function rowsFrom(point: Point, step: Step, eigenpairs: Eigenpairs | null, K: number) {
      const settings = { batchSizes, replacement, estimator, draws: K, seed, step: step.index };
      const moments = await secondMoments(point, settings, eigenpairs);
      const gradient = await point.gradient();
      const traceSn = dot(gradient, gradient);
      const edge = stabilityEdge(step);
      const none = new Float64Array(K);
      const rows: SharpnessRow[] = [];
      for (const [j, moment] of moments.entries()) {
        const { exact, traceS, traceHS } = moment;
        const batchSize = batchSizes[j]!;
        const ias = estimateRatio(exact.traceHS, traceHS, exact.traceS, traceS);
        const rho = estimateRatio(traceSn, none, exact.traceS, traceS);
        const interaction = estimateRatio(exact.traceHS, traceHS, traceSn, none);
        const secondMomentTrace = estimateSum(exact.traceS, traceS);
        const interactionTrace = estimateSum(exact.traceHS, traceHS);
        const share = noiseShare(objective, batchSize, replacement);
        const scale = noiseScale(traceSn, { exact: exact.traceS, traces: traceS }, share);
        const scaleH = await hessianNoiseScale(point, moment, share);
        rows.push({
          step: step.index,
          batch_size: batchSize,
          replacement,
          ias: ias.value,
          ias_standard_error: ias.standardError,
          rho: rho.value,
          rho_standard_error: rho.standardError,
          bound: rho.value * edge,
          interaction: interaction.value,
          interaction_standard_error: interaction.standardError,
          edge,
          learning_rate_over_optimum: step.learningRate * interaction.value,
          learning_rate_over_optimum_standard_error: step.learningRate * interaction.standardError,
          noise_scale: scale?.value ?? null,
          noise_scale_standard_error: scale?.standardError ?? null,
          noise_scale_hessian: scaleH?.value ?? null,
          noise_scale_hessian_standard_error: scaleH?.standardError ?? null,
          noise_along_q1: noiseAlongQ1(objective, eigenpairs, batchSize, replacement),
          trace_S_b: secondMomentTrace.value,
          trace_S_b_standard_error: secondMomentTrace.standardError,
          trace_H_S_b: interactionTrace.value,
          trace_H_S_b_standard_error: interactionTrace.standardError,
          trace_S_n: traceSn,
          draws: isFull(batchSize) ? 0 : K,
        });
      }
      return rows;
    }

    let eigenpairs: Eigenpairs | null = null;
    return async (point, step) => {
      if (fromExamples && deflate > 0) {
        eigenpairs = await hessianEigenpairs(point, { who, count: deflate, tolerance }, eigenpairs);
      }
      return drawUntil(
        precision,
        (K) => rowsFrom(point, step, eigenpairs, K),
        (rows) => rows.map((row) => ({ value: row.ias, standardError: row.ias_standard_error })),
      );
    };
  },
});
