import type { OperatorFunction } from 'rxjs';
import { requireInteger, requireNumber } from '../core/errors.ts';
import type { Objective } from '../core/Objective.ts';
import type { Step } from '../core/Step.ts';
import { defineTable, float64, int32, type Row, utf8 } from '../core/Table.ts';
import { estimateRatio, noiseTraces, secondMoment } from '../estimators/gradientNoise.ts';
import { hessianEigenpairs } from '../estimators/hessianEigenpairs.ts';
import { sampledSecondMoment } from '../estimators/sampledBatches.ts';
import type { Eigenpairs } from '../linalg/eigenpairs.ts';
import { dot, mean } from '../linalg/vector.ts';
import { measureAlong } from '../operators/measure.ts';
import { isFullBatch } from '../theory/isFullBatch.ts';
import { stabilityEdge } from '../theory/stabilityEdge.ts';
import { estimateBatchSharpness } from './estimateBatchSharpness.ts';
import { requireCount } from './requireCount.ts';

const table = defineTable({
  name: 'edge',
  description: 'Where training stands with respect to the edge of stability at a step, at one glance.',
  key: ['step'],
  columns: {
    step: int32({ symbol: 't', description: 'The step.' }),
    batch_size: int32({ symbol: 'b', description: 'Examples in a batch of the run.' }),
    edge: float64({ symbol: '2/η', description: 'The edge of stability, (2/η)(1+β₁)/(1+2β₂).' }),
    lambda_1: float64({ symbol: 'λ₁', description: 'The sharpness.' }),
    ias_gd: float64({ symbol: '‖H‖_{S_n}', description: 'Interaction-aware sharpness of the full batch.' }),
    ias: float64({ symbol: '‖H‖_{S_b}', description: 'Interaction-aware sharpness of the batch size of the run.' }),
    ias_standard_error: float64({ symbol: '', description: 'Of ias.' }),
    rho: float64({ symbol: 'ρ_b', description: 'Gradient concentration.' }),
    bound: float64({ symbol: '2ρ_b/η', description: 'What ias must not exceed.' }),
    interaction: float64({
      symbol: 'tr(HS_b)/tr(S_n)',
      description: 'ias/ρ_b: the same comparison with the edge itself.',
    }),
    interaction_standard_error: float64({ symbol: '', description: 'Of interaction.' }),
    batch_sharpness: float64({ symbol: 'E[g_ξᵀH_ξg_ξ/‖g_ξ‖²]', description: 'The rival measure.' }),
    batch_sharpness_standard_error: float64({ symbol: '', description: 'Of batch_sharpness.' }),
    verdict: utf8({ symbol: '', description: 'unstable, at the edge, progressive sharpening, or stable.' }),
    rule: utf8({ symbol: '', description: 'The rule by which the verdict was given, with its numbers.' }),
  },
});

export interface EdgeOptions {
  /** K, at least 2, default 16. */
  readonly draws?: number;
  /** Eigenpairs treated exactly, default 3 (at most m), at least 1. */
  readonly deflate?: number;
  /** How far from the edge still counts as at it, as a share of it, default 0.1. */
  readonly margin?: number;
  /** Relative residual of the eigenpairs, default 1e-3. */
  readonly tolerance?: number;
  /** Of the draws, default 0. */
  readonly seed?: number;
}

/** What a verdict is given on. */
export interface EdgeState {
  readonly edge: number;
  readonly lambda1: number;
  /** λ₁ at the step probed before; null at the first. */
  readonly previousLambda1: number | null;
  readonly interaction: number;
  readonly standardError: number;
  /** tr(S_b). */
  readonly traceS: number;
  readonly fullBatch: boolean;
}

/** The first rule that holds: stationary or unknown, unstable, at the edge, progressive sharpening, stable. */
export function verdict(
  { edge, lambda1, previousLambda1, interaction, standardError, traceS, fullBatch }: EdgeState,
  margin: number,
): { verdict: string; rule: string } {
  if (Number.isNaN(interaction)) {
    return traceS === 0
      ? { verdict: 'stationary', rule: 'every gradient is 0: nothing moves, and tr(HS_b)/tr(S_n) has no value' }
      : {
          verdict: 'unknown',
          rule: 'tr(HS_b)/tr(S_n) has no value: the gradient is 0 or beyond float32, though batches move',
        };
  }
  // At ∇L = 0 the ratio is infinite, and so is every error of it.
  const error = Number.isFinite(interaction) ? standardError : 0;
  const of = (x: number) => `${(x / edge).toFixed(3)} of the edge`;
  if (interaction - 2 * error > edge * (1 + margin)) {
    return {
      verdict: 'unstable',
      rule: `tr(HS_b)/tr(S_n) is ${of(interaction)}, more than ${margin} above it by two standard errors`,
    };
  }
  if (interaction + 2 * error >= edge * (1 - margin)) {
    return {
      verdict: 'at the edge',
      rule: `tr(HS_b)/tr(S_n) is ${of(interaction)}, within ${margin} or two standard errors`,
    };
  }
  if (fullBatch && lambda1 >= edge) {
    return { verdict: 'at the edge', rule: `λ₁ is ${of(lambda1)}; the gradient has not turned towards q₁ yet` };
  }
  if (previousLambda1 !== null && lambda1 > previousLambda1) {
    return {
      verdict: 'progressive sharpening',
      rule: `λ₁ has risen from ${previousLambda1.toPrecision(4)} to ${lambda1.toPrecision(4)}, below the edge`,
    };
  }
  return { verdict: 'stable', rule: `tr(HS_b)/tr(S_n) is ${of(interaction)}, and λ₁ has not risen` };
}

/**
 * The one-glance probe: λ₁, ‖H‖_{S_n}, ‖H‖_{S_b}, ρ_b, the bound 2ρ_b/η, batch sharpness and a verdict in words, for the batch
 * size of the run.
 *
 * Verdicts, the first that holds: *stationary* where no gradient is left (∇L = 0, and for b < n every g_i); *unknown* where
 * tr(HS_b)/tr(S_n) is NaN though batches move; *unstable* where
 * tr(HS_b)/tr(S_n) exceeds the edge by more than the margin and two standard errors; *at the edge* where it is within the
 * margin, or, for the full batch, λ₁ exceeds the edge; *progressive sharpening* where λ₁ has risen since the step probed before;
 * else *stable*. The rule is written beside the verdict.
 *
 * With batch normalisation, S_b comes from sampled batches instead of random signs, with larger standard errors.
 *
 * A verdict speaks of one step. For SGD the bound holds on average over time, so single steps may be called unstable at the edge.
 *
 * Cost: the eigenpairs, H∇L; for b < n K gradients and products, shared with interactionAwareSharpness, and K·b/n of both.
 *
 * @param objective The training loss.
 * @param options `draws` (16), `deflate` (3), `margin` (0.1), `tolerance` (1e-3), `seed` (0).
 * @throws BrinkError at the call where an option is out of range.
 * Source: Lee and Jang (2023), equation (16); Andreyev and Beneventano (2024) for batch sharpness.
 */
export function edge(objective: Objective, options: EdgeOptions = {}): OperatorFunction<Step, Row<typeof table>> {
  const who = 'edge';
  const n = objective.exampleCount;
  const { draws = 16, deflate = Math.min(3, objective.paramCount), margin = 0.1, tolerance = 1e-3, seed = 0 } = options;
  requireInteger(who, 'draws', draws, 2);
  requireCount(who, 'deflate', deflate, objective, 1);
  requireNumber(who, 'margin', margin, 0);
  requireNumber(who, 'tolerance', tolerance, 0);
  return measureAlong(objective, () => {
    let eigenpairs: Eigenpairs | null = null;
    let previousLambda1: number | null = null;
    return async (point, step) => {
      const { batchSize: b, replacement } = step;
      const full = isFullBatch(n, b, replacement);
      eigenpairs = await hessianEigenpairs(point, { who, count: deflate, tolerance }, eigenpairs);
      const lambda1 = eigenpairs.pairs[0]!.value;
      const gradient = await point.gradient();
      const { product } = await point.hessianVector(gradient);
      const traceSn = dot(gradient, gradient);
      const traceHSn = dot(gradient, product);

      const none = new Float64Array(draws);
      const draw = { seed, step: step.index, batchSize: b, replacement };
      const deflatedSecondMoment = async () =>
        secondMoment(await noiseTraces(point, { draws, seed, step: step.index, eigenpairs }), traceSn, traceHSn, {
          n,
          b,
          replacement,
        });
      const { exact, traceS, traceHS } = full
        ? { exact: { traceS: traceSn, traceHS: traceHSn }, traceS: none, traceHS: none }
        : objective.coupled
          ? await sampledSecondMoment(point, draw, draws)
          : await deflatedSecondMoment();
      const ias = estimateRatio(exact.traceHS, traceHS, exact.traceS, traceS);
      const rho = estimateRatio(traceSn, none, exact.traceS, traceS);
      const interaction = estimateRatio(exact.traceHS, traceHS, traceSn, none);

      const sharpness = await estimateBatchSharpness(point, draw, draws);
      const limit = stabilityEdge(step);
      const state = {
        edge: limit,
        lambda1,
        previousLambda1,
        interaction: interaction.value,
        standardError: interaction.standardError,
        traceS: exact.traceS + mean(traceS),
        fullBatch: full,
      };
      previousLambda1 = lambda1;
      return {
        step: step.index,
        batch_size: b,
        edge: limit,
        lambda_1: lambda1,
        ias_gd: traceHSn / traceSn,
        ias: ias.value,
        ias_standard_error: ias.standardError,
        rho: rho.value,
        bound: rho.value * limit,
        interaction: interaction.value,
        interaction_standard_error: interaction.standardError,
        batch_sharpness: sharpness.value,
        batch_sharpness_standard_error: sharpness.standardError,
        ...verdict(state, margin),
      };
    };
  });
}
edge.table = table;
