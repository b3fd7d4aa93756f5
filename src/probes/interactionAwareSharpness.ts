import type { OperatorFunction } from 'rxjs';
import { requireNumber } from '../core/errors.ts';
import type { Objective, Point } from '../core/Objective.ts';
import type { Step } from '../core/Step.ts';
import { bool, defineTable, float64, int32, type Row } from '../core/Table.ts';
import { drawUntil, requireDraws } from '../estimators/drawUntil.ts';
import {
  estimateRatio,
  estimateSum,
  noiseTraces,
  type SecondMoment,
  secondMoment,
} from '../estimators/gradientNoise.ts';
import { hessianEigenpairs } from '../estimators/hessianEigenpairs.ts';
import { sampledSecondMoment } from '../estimators/sampledBatches.ts';
import type { Eigenpairs } from '../linalg/eigenpairs.ts';
import { dot } from '../linalg/vector.ts';
import { measureAlong } from '../operators/measure.ts';
import { isFullBatch } from '../theory/isFullBatch.ts';
import { stabilityEdge } from '../theory/stabilityEdge.ts';
import { requireBatchSizes } from './requireBatchSizes.ts';
import { requireCount } from './requireCount.ts';
import { requireUncoupled } from './requireUncoupled.ts';

const table = defineTable({
  name: 'sharpness',
  description: 'Interaction-aware sharpness and gradient concentration at a step, for each batch size.',
  key: ['step', 'batch_size'],
  columns: {
    step: int32({ symbol: 't', description: 'The step.' }),
    batch_size: int32({ symbol: 'b', description: 'Examples in a batch.' }),
    replacement: bool({ symbol: '', description: 'Whether batches are drawn with replacement.' }),
    ias: float64({ symbol: '‖H‖_{S_b}', description: 'Interaction-aware sharpness, tr(HS_b)/tr(S_b).' }),
    ias_standard_error: float64({ symbol: '', description: 'Of ias; 0 where it is exact.' }),
    rho: float64({ symbol: 'ρ_b', description: 'Gradient concentration, tr(S_n)/tr(S_b).' }),
    rho_standard_error: float64({ symbol: '', description: 'Of rho.' }),
    bound: float64({
      symbol: '2ρ_b/η',
      description: 'Gradient concentration times the edge: SGD is unstable where ias exceeds it.',
    }),
    interaction: float64({
      symbol: 'tr(HS_b)/tr(S_n)',
      description: 'The same comparison with the edge itself: ias/rho.',
    }),
    interaction_standard_error: float64({ symbol: '', description: 'Of interaction.' }),
    edge: float64({ symbol: '2/η', description: 'The edge of stability, (2/η)(1+β₁)/(1+2β₂).' }),
    trace_S_b: float64({ symbol: 'tr(S_b)', description: 'Second moment of the batch gradient, E‖g_ξ‖².' }),
    trace_S_b_standard_error: float64({ symbol: '', description: 'Of trace_S_b.' }),
    trace_H_S_b: float64({ symbol: 'tr(HS_b)', description: 'E[g_ξᵀHg_ξ].' }),
    trace_H_S_b_standard_error: float64({ symbol: '', description: 'Of trace_H_S_b.' }),
    trace_S_n: float64({ symbol: 'tr(S_n)', description: '‖∇L‖².' }),
    draws: int32({ symbol: 'K', description: 'Independent draws behind the standard errors.' }),
  },
});

export interface InteractionAwareSharpnessOptions {
  /** b, each 1 … n; default the full batch alone, where nothing is random. */
  readonly batchSizes?: readonly number[];
  /** Whether batches are drawn with replacement, default false. */
  readonly replacement?: boolean;
  /** 'examples' (default): from the gradients of the examples, for every b at once. 'batches': sampled batches, a set for each b. */
  readonly estimator?: 'examples' | 'batches';
  /** K, at least 2, default 16. */
  readonly draws?: number;
  /** Doubles K until the standard error of ias is at most this share of it for every b; default: K stays. */
  readonly targetError?: number;
  /** Where doubling stops, default 256. */
  readonly maxDraws?: number;
  /**
   * Eigenpairs treated exactly by 'examples', default 3 (at most m); 0: none. As many as there are outputs make one draw worth
   * a hundred, and cost as many products and more.
   */
  readonly deflate?: number;
  /** Relative residual of those eigenpairs, default 1e-3. It changes the variance, not the mean. */
  readonly tolerance?: number;
  /** Of the draws, default 0. */
  readonly seed?: number;
}

/**
 * The interaction-aware sharpness ‖H‖_{S_b} = tr(HS_b)/tr(S_b) and the gradient concentration ρ_b = tr(S_n)/tr(S_b) for every
 * batch size at once, S_b = E_ξ[g_ξg_ξᵀ] [m × m], each with its standard error.
 *
 * By identity (1), S_b = S_n + (γ_{n,b}/b) C_1, so two numbers, tr(C_1) and tr(HC_1), give all b: with random signs z,
 * a = n^{−1/2} Σ (z_i − z̄) g_i has E‖a‖² = tr(C_1) and E[aᵀHa] = tr(HC_1); the part within the leading eigenvectors is done
 * exactly. Where the layers give the norms of the per-example gradients, tr(C_1) and with it ρ_b have no sampling error, and
 * ‖a‖² is a control variate of aᵀHa. For b = n without replacement nothing is estimated: ‖H‖_{S_n} = ∇LᵀH∇L/‖∇L‖².
 *
 * With batch normalisation a batch is normalised over itself: E_ξ[g_ξ] is not ∇L, identity (1) does not hold, and only 'batches' serves.
 *
 * It does not prove instability of a single step: the condition ias > 2ρ_b/η speaks of the expected loss on the local
 * quadratic, and for SGD it holds as an average over time. At ∇L = 0 for b = n the ratio is NaN.
 *
 * Cost: H∇L, and with draws K: 'examples' K gradients, one more where the norms are exact, K products and the eigenpairs; 'batches' K products and K·b/n gradients
 * for each b. Eigenpairs, draws and H∇L are shared with other probes.
 *
 * @param objective The training loss.
 * @param options `batchSizes` ([n]), `replacement` (false), `estimator` ('examples'), `draws` (16), `targetError` (none), `maxDraws`
 *   (256), `deflate` (3), `tolerance` (1e-3), `seed` (0).
 * @throws BrinkError at the call where an option is out of range, or 'examples' is asked of an objective with batch normalisation.
 * Source: Lee and Jang (2023), Definitions 1 and 2, equations (1) and (16).
 */
export function interactionAwareSharpness(
  objective: Objective,
  options: InteractionAwareSharpnessOptions = {},
): OperatorFunction<Step, Row<typeof table>> {
  const who = 'interactionAwareSharpness';
  const n = objective.exampleCount;
  const {
    batchSizes = [n],
    replacement = false,
    estimator = 'examples',
    draws = 16,
    deflate = Math.min(3, objective.paramCount),
    tolerance = 1e-3,
    seed = 0,
  } = options;
  /** Whether S_b = S_n: then nothing is drawn. */
  const isFull = (b: number) => isFullBatch(n, b, replacement);
  const random = batchSizes.some((b) => !isFull(b));
  if (random && estimator === 'examples') requireUncoupled(who, objective, "Use estimator: 'batches'.");
  requireBatchSizes(who, batchSizes, objective);
  const precision = requireDraws(who, draws, options.targetError, options.maxDraws);
  requireCount(who, 'deflate', deflate, objective, 0);
  requireNumber(who, 'tolerance', tolerance, 0);

  /** tr(S_b) and tr(HS_b) for every b asked, from K draws. */
  async function secondMoments(
    point: Point,
    step: Step,
    eigenpairs: Eigenpairs | null,
    K: number,
  ): Promise<SecondMoment[]> {
    const gradient = await point.gradient();
    const { product } = await point.hessianVector(gradient);
    const normSquared = dot(gradient, gradient);
    const gHg = dot(gradient, product);
    const full = {
      exact: { traceS: normSquared, traceHS: gHg },
      traceS: new Float64Array(K),
      traceHS: new Float64Array(K),
    };
    const traces =
      random && estimator === 'examples'
        ? await noiseTraces(point, { draws: K, seed, step: step.index, eigenpairs })
        : null;
    const moments: SecondMoment[] = [];
    for (const b of batchSizes) {
      if (isFull(b)) moments.push(full);
      else if (traces) moments.push(secondMoment(traces, normSquared, gHg, { n, b, replacement }));
      else moments.push(await sampledSecondMoment(point, { seed, step: step.index, batchSize: b, replacement }, K));
    }
    return moments;
  }

  async function rowsFrom(
    point: Point,
    step: Step,
    eigenpairs: Eigenpairs | null,
    K: number,
  ): Promise<Row<typeof table>[]> {
    const moments = await secondMoments(point, step, eigenpairs, K);
    const gradient = await point.gradient();
    const traceSn = dot(gradient, gradient);
    const edge = stabilityEdge(step);
    const none = new Float64Array(K);
    return moments.map(({ exact, traceS, traceHS }, j) => {
      const ias = estimateRatio(exact.traceHS, traceHS, exact.traceS, traceS);
      const rho = estimateRatio(traceSn, none, exact.traceS, traceS);
      const interaction = estimateRatio(exact.traceHS, traceHS, traceSn, none);
      const secondMomentTrace = estimateSum(exact.traceS, traceS);
      const interactionTrace = estimateSum(exact.traceHS, traceHS);
      return {
        step: step.index,
        batch_size: batchSizes[j]!,
        replacement,
        ias: ias.value,
        ias_standard_error: ias.standardError,
        rho: rho.value,
        rho_standard_error: rho.standardError,
        bound: rho.value * edge,
        interaction: interaction.value,
        interaction_standard_error: interaction.standardError,
        edge,
        trace_S_b: secondMomentTrace.value,
        trace_S_b_standard_error: secondMomentTrace.standardError,
        trace_H_S_b: interactionTrace.value,
        trace_H_S_b_standard_error: interactionTrace.standardError,
        trace_S_n: traceSn,
        draws: isFull(batchSizes[j]!) ? 0 : K,
      };
    });
  }

  return measureAlong(objective, () => {
    let eigenpairs: Eigenpairs | null = null;
    return async (point, step) => {
      if (random && estimator === 'examples' && deflate > 0) {
        eigenpairs = await hessianEigenpairs(point, { who, count: deflate, tolerance }, eigenpairs);
      }
      return drawUntil(
        precision,
        (K) => rowsFrom(point, step, eigenpairs, K),
        (rows) => rows.map((row) => ({ value: row.ias, standardError: row.ias_standard_error })),
      );
    };
  });
}
interactionAwareSharpness.table = table;
