import * as columns from '../core/columns.ts';
import { BrinkError } from '../core/errors.ts';
import { number } from '../core/optionKinds.ts';
import { defineTable, float64, nullable, type Row, utf8 } from '../core/Table.ts';
import * as usual from '../core/usualOptions.ts';
import { estimateBatchSharpness } from '../estimators/estimateBatchSharpness.ts';
import { estimateRatio } from '../estimators/gradientNoise.ts';
import { errorOfFirst, hessianEigenpairs } from '../estimators/hessianEigenpairs.ts';
import { hessianNoiseScale, noiseAlongQ1, noiseScale, noiseShare } from '../estimators/noiseScales.ts';
import { secondMoments } from '../estimators/secondMoments.ts';
import type { Eigenpairs } from '../linalg/eigenpairs.ts';
import { dot, mean } from '../linalg/vector.ts';
import type { Measurement } from '../operators/measure.ts';
import { isFullBatch } from '../theory/isFullBatch.ts';
import { momentumLines } from '../theory/momentumLines.ts';
import { stabilityEdge } from '../theory/stabilityEdge.ts';
import { verdict } from '../theory/verdict.ts';
import { type OptionsOf, probe } from './probe.ts';

const table = defineTable({
  name: 'edge',
  description: 'Where training stands with respect to the edge of stability at a step, at one glance.',
  key: ['step'],
  columns: {
    step: columns.step(),
    batch_size: columns.batchSize('Examples in a batch of the run.'),
    edge: columns.edge(),
    lambda_1: columns.lambda1(),
    ias_gd: float64({
      symbol: '‖H‖_{S_n}',
      description: 'Interaction-aware sharpness of the full batch.',
      scale: 'curvature',
    }),
    ias: float64({
      symbol: '‖H‖_{S_b}',
      description: 'Interaction-aware sharpness of the batch size of the run.',
      scale: 'interaction-aware sharpness',
    }),
    ias_standard_error: columns.standardError('ias'),
    rho: float64({ symbol: 'ρ_b', description: 'Gradient concentration.' }),
    bound: float64({
      symbol: '2ρ_b/η',
      description: 'What ias must not exceed.',
      scale: 'interaction-aware sharpness',
      isReference: true,
    }),
    interaction: float64({
      symbol: 'tr(HS_b)/tr(S_n)',
      description: 'ias/ρ_b: the same comparison with the edge itself.',
      scale: 'curvature',
    }),
    interaction_standard_error: columns.standardError('interaction'),
    ...columns.learningRateOverOptimum(),
    ...columns.noiseScale(),
    ...columns.noiseScaleHessian(),
    noise_along_q1: columns.noiseAlongQ1(),
    batch_sharpness: float64({ symbol: 'E[g_ξᵀH_ξg_ξ/‖g_ξ‖²]', description: 'The rival measure.', scale: 'curvature' }),
    batch_sharpness_standard_error: columns.standardError('batch_sharpness', '0 for the full batch'),
    small_batch_line: nullable(
      float64({
        symbol: '2(1−β₁)/η',
        description: 'Where batch sharpness is said to settle for small b; null for b = n, and with β₂ ≠ 0.',
        scale: 'curvature',
        isReference: true,
      }),
    ),
    large_batch_line: nullable(
      float64({
        symbol: '2(1+β₁)/η',
        description: 'The same for large b; null as small_batch_line.',
        scale: 'curvature',
        isReference: true,
      }),
    ),
    verdict: utf8({
      symbol: '',
      description: 'unstable, at the edge, progressive sharpening or stable; stationary or unknown.',
    }),
    rule: utf8({ symbol: '', description: 'The rule by which the verdict was given, with its numbers.' }),
  },
});

/** A row of `edge`. */
export interface EdgeRow extends Row<typeof table> {}

/** Options of `edge`. */
export type EdgeOptions = OptionsOf<typeof edge>;

/**
 * The one-glance probe: λ₁, ‖H‖_{S_n}, ‖H‖_{S_b}, ρ_b, the bound 2ρ_b/η, batch sharpness and a verdict in words, for
 * the batch size of the run.
 *
 * Verdicts, the first that holds: *stationary* where no gradient is left (∇L = 0, and for b < n every g_i); *unknown*
 * where tr(HS_b)/tr(S_n) is NaN though batches move, or the step says no learning rate or momentum; *unstable* where
 * tr(HS_b)/tr(S_n) exceeds the edge by more than the margin and two standard errors; *at the edge* where it is within
 * the margin, or, for the full batch, λ₁ exceeds the edge; *progressive sharpening* where λ₁ has risen since the step
 * probed before, by more than both of them may be off; else *stable*. The rule is written beside the verdict.
 *
 * With batch normalisation, S_b comes from sampled batches instead of random signs, with larger standard errors.
 *
 * Beside them stand McCandlish's gradient noise scales, η over the step that lowers the expected loss most, and the
 * noise along q₁, as interactionAwareSharpness explains them. With momentum, `edge` is the paper's,
 * (2/η)(1+β₁)/(1+2β₂), and for batch sharpness there are two lines more, 2(1−β₁)/η and 2(1+β₁)/η, where it is said to
 * settle for small and for large batches.
 *
 * A verdict speaks of one step. For SGD the bound holds on average over time, so single steps may be called unstable
 * at the edge.
 *
 * Source: Lee and Jang (2023), equation (16); Andreyev and Beneventano (2024) for batch sharpness; arXiv 2604.14108, a
 * preprint, for its lines with momentum.
 *
 * @throws BrinkError where an option is out of range; in the stream where a product is not finite.
 * @example
 * import { edge, gradientDescent, toy } from 'brink';
 * import { lastValueFrom } from 'rxjs';
 *
 * const steps = gradientDescent(toy(1.05), { learningRate: 2 / 32, steps: 60, initialWeights: [3, 0.1] });
 * const { verdict, rule } = await lastValueFrom(steps.pipe(edge()));
 * console.log(verdict); // at the edge
 * console.log(rule); // tr(HS_b)/tr(S_n) is 1.050 of the edge, within 0.1 or two standard errors
 * @see interactionAwareSharpness, topEigenvalues, batchSharpness
 */
export const edge = probe({
  name: 'edge',
  asks: 'Where does training stand? All of it at a glance, with a verdict in words',
  table,
  cost: 'the eigenpairs and H∇L; for b < n, shared with interactionAwareSharpness, K products, K gradients of random signs (none with batch normalisation) and one for exact norms, and, shared with batchSharpness, K·b/n gradients and products; 2 K vectors of m are held at the step.',
  options: {
    draws: usual.draws(),
    deflate: usual.deflate(1),
    margin: number({
      above: 0,
      default: 0.1,
      description: 'How far from the edge still counts as at it, as a share of it.',
    }),
    tolerance: usual.tolerance(),
    seed: usual.seed(),
  },
  needs: () => ['batchSize'],
  begin: ({ draws, deflate, margin, tolerance, seed }, objective): Measurement<EdgeRow> => {
    const { exampleCount: n, coupled } = objective;
    let eigenpairs: Eigenpairs | null = null;
    let previous: { readonly lambda1: number; readonly error: number } | null = null;
    return async (point, step) => {
      const { index, batchSize, replacement } = step;
      if (batchSize > n) {
        throw new BrinkError(
          'edge',
          `the batches of the run have ${batchSize} examples, and the objective that is measured has ${n} in all.`,
        );
      }
      eigenpairs = await hessianEigenpairs(point, { who: 'edge', count: deflate, tolerance }, eigenpairs);
      const lambda1 = eigenpairs.pairs[0]!.value;
      const error = errorOfFirst(eigenpairs);
      const gradient = await point.gradient();
      const { product } = await point.hessianVector(gradient);
      const traceSn = dot(gradient, gradient);
      const traceHSn = dot(gradient, product);

      const estimator = coupled ? 'batches' : 'examples';
      const settings = { batchSizes: [batchSize], replacement, estimator, draws, seed, step: index } as const;
      const [moment] = await secondMoments(point, settings, eigenpairs);
      const { exact, traceS, traceHS } = moment!;
      const none = new Float64Array(draws);
      const ias = estimateRatio(exact.traceHS, traceHS, exact.traceS, traceS);
      const rho = estimateRatio(traceSn, none, exact.traceS, traceS);
      const interaction = estimateRatio(exact.traceHS, traceHS, traceSn, none);

      const sharpness = await estimateBatchSharpness(point, { seed, step: index, batchSize, replacement }, draws);
      const share = noiseShare(objective, batchSize, replacement);
      const scale = noiseScale(traceSn, { exact: exact.traceS, traces: traceS }, share);
      const scaleH = await hessianNoiseScale(point, moment!, share);

      const limit = stabilityEdge(step);
      const fullBatch = isFullBatch(n, batchSize, replacement);
      const lines = fullBatch ? null : momentumLines(step);
      const state = {
        edge: limit,
        lambda1,
        previousLambda1: previous?.lambda1 ?? null,
        lambda1Error: error + (previous?.error ?? 0),
        interaction: interaction.value,
        standardError: interaction.standardError,
        traceS: exact.traceS + mean(traceS),
        fullBatch,
      };
      previous = { lambda1, error };
      return {
        step: index,
        batch_size: batchSize,
        edge: limit,
        lambda_1: lambda1,
        ias_gd: traceHSn / traceSn,
        ias: ias.value,
        ias_standard_error: ias.standardError,
        rho: rho.value,
        bound: rho.value * limit,
        interaction: interaction.value,
        interaction_standard_error: interaction.standardError,
        learning_rate_over_optimum: step.learningRate * interaction.value,
        learning_rate_over_optimum_standard_error: step.learningRate * interaction.standardError,
        noise_scale: scale?.value ?? null,
        noise_scale_standard_error: scale?.standardError ?? null,
        noise_scale_hessian: scaleH?.value ?? null,
        noise_scale_hessian_standard_error: scaleH?.standardError ?? null,
        noise_along_q1: noiseAlongQ1(objective, eigenpairs, batchSize, replacement),
        batch_sharpness: sharpness.value,
        batch_sharpness_standard_error: sharpness.standardError,
        small_batch_line: lines?.smallBatch ?? null,
        large_batch_line: lines?.largeBatch ?? null,
        ...verdict(state, margin),
      };
    };
  },
});
