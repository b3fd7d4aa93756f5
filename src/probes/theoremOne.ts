import type { OperatorFunction } from 'rxjs';
import { BrinkError, requireInteger, requireNumber } from '../core/errors.ts';
import type { Objective } from '../core/Objective.ts';
import type { Step } from '../core/Step.ts';
import { bool, defineTable, float64, int32, type Row } from '../core/Table.ts';
import { covarianceEigenpairs } from '../estimators/covarianceEigenpairs.ts';
import { hessianEigenpairs } from '../estimators/hessianEigenpairs.ts';
import { sampledBatch } from '../estimators/sampledBatches.ts';
import { traceSquare } from '../estimators/traceSquare.ts';
import type { Eigenpairs } from '../linalg/eigenpairs.ts';
import { covariance, mean } from '../linalg/vector.ts';
import { measureAlong } from '../operators/measure.ts';
import { isFullBatch } from '../theory/isFullBatch.ts';
import { samplingCoefficient } from '../theory/samplingCoefficient.ts';
import { requireBatchSizes } from './requireBatchSizes.ts';
import { requireUncoupled } from './requireUncoupled.ts';

const table = defineTable({
  name: 'theorem_one',
  description: 'The tail bounds of Theorem 1 on the next loss at a step, and how often sampled losses pass them.',
  key: ['step', 'batch_size', 'x'],
  columns: {
    step: int32({ symbol: 't', description: 'The step.' }),
    batch_size: int32({ symbol: 'b', description: 'Examples in a batch.' }),
    replacement: bool({ symbol: '', description: 'Whether batches are drawn with replacement.' }),
    x: float64({ symbol: 'x', description: 'The tail: each bound is passed with probability at most e^{−x}.' }),
    allowed_share: float64({ symbol: 'e^{−x}', description: 'That probability.' }),
    beta: float64({
      symbol: 'β',
      description: '√(2 Var[L_{t+1}]), from its closed form: the slope of the bounds in √x.',
    }),
    upper_bound: float64({
      symbol: '',
      description: 'β√x + (η²γ/b) λ₁⁺ ‖C₁‖ x: what L_{t+1} − E[L_{t+1}] rarely exceeds.',
    }),
    lower_bound: float64({
      symbol: '',
      description:
        '−β√x − (η²γ/b) λ_m⁻ ‖C₁‖ x: what it rarely falls below; λ_m⁻ = 0 where H has no negative eigenvalue.',
    }),
    share_above: float64({ symbol: '', description: 'Share of the sampled next losses above the upper bound.' }),
    share_below: float64({ symbol: '', description: 'Share of the sampled next losses below the lower bound.' }),
    next_loss_mean: float64({ symbol: 'E[L_{t+1}]', description: 'Mean of the sampled next losses.' }),
    next_loss_std: float64({ symbol: 'std[L_{t+1}]', description: 'Their standard deviation.' }),
    predicted_std: float64({
      symbol: 'std[L_{t+1}]',
      description: 'The same from the closed form of Lemma 3, for a quadratic loss and normal gradients.',
    }),
    v_C1_v: float64({ symbol: 'vᵀC₁v', description: 'With v = (I − ηH)∇L; exact.' }),
    trace_HC1HC1: float64({ symbol: 'tr(HC₁HC₁)', description: 'By pairs of random signs.' }),
    trace_HC1HC1_standard_error: float64({ symbol: '', description: 'Of trace_HC1HC1, by the jackknife.' }),
    lambda_1_C1: float64({
      symbol: '‖C₁‖',
      description: 'The largest eigenvalue of the covariance of the gradient of one example.',
    }),
    draws: int32({ symbol: 'K', description: 'Sampled next losses; 0: the full batch, where there is one.' }),
  },
});

export interface TheoremOneOptions {
  /** b, each 1 … n. */
  readonly batchSizes: readonly number[];
  /** x, each positive and named once; default 1 and 2. */
  readonly tails?: readonly number[];
  /** Whether batches are drawn with replacement, default false. */
  readonly replacement?: boolean;
  /** Sampled next losses, at least 2, default 64. */
  readonly draws?: number;
  /** Random signs for tr(HC₁HC₁), at least 3, default 64: fewer mostly give too little. */
  readonly signDraws?: number;
  /** Relative residual of the eigenvalues of H and C₁, default 1e-2. */
  readonly tolerance?: number;
  /** Of all draws, default 0. */
  readonly seed?: number;
}

/** Losses closer than this share of them are told apart by float32's rounding only. */
const ROUNDING = 1e-6;

/**
 * Theorem 1 as numbers: how far L_{t+1} strays from its mean over the batch, with the share of sampled batches beyond.
 *
 * On a quadratic loss with g_ξ normal, Var[L_{t+1}] = η²(γ/b) vᵀC₁v + (η²γ/b)²/2 · tr(HC₁HC₁) with v = (I − ηH)∇L, and with
 * β = √(2 Var[L_{t+1}]), s = η²γ/b: P(L_{t+1} − E[L_{t+1}] ≥ β√x + s λ₁⁺‖C₁‖x) ≤ e^{−x} and
 * P(L_{t+1} − E[L_{t+1}] ≤ −β√x − s λ_m⁻‖C₁‖x) ≤ e^{−x}, with λ₁⁺ = max(λ₁, 0) and λ_m⁻ = max(−λ_m, 0): where H is
 * indefinite the lower tail needs its last term too.
 *
 * Gradients of small batches are not normal, and a network's loss is not quadratic: the shares say how far this matters. They
 * are themselves uncertain by √(e^{−x}/K).
 *
 * Cost: eigenpairs at both ends of H and the top one of C₁ (a product and a gradient each time), signDraws gradients and
 * products, and for each b and draw b/n gradients and one forward pass.
 *
 * @param objective The training loss.
 * @param options `batchSizes`, `tails` ([1, 2]), `replacement` (false), `draws` (64), `signDraws` (64), `tolerance` (1e-2), `seed` (0).
 * @throws BrinkError at the call where an option is out of range, or the objective has batch normalisation, which couples examples.
 * Source: Lee and Jang (2023), Theorem 1 and Lemma 3, re-derived; Laurent and Massart (2000), Lemma 1.
 */
export function theoremOne(
  objective: Objective,
  options: TheoremOneOptions,
): OperatorFunction<Step, Row<typeof table>> {
  const who = 'theoremOne';
  const n = objective.exampleCount;
  const {
    batchSizes,
    tails = [1, 2],
    replacement = false,
    draws = 64,
    signDraws = 64,
    tolerance = 1e-2,
    seed = 0,
  } = options;
  requireUncoupled(who, objective, 'Use expectedLossChange, which samples batches.');
  requireBatchSizes(who, batchSizes, objective);
  tails.forEach((x, i) => {
    requireNumber(who, `tails[${i}]`, x, 0);
    if (tails.indexOf(x) !== i) throw new BrinkError(who, `tails names ${x} twice. A row is named by its tail.`);
  });
  requireInteger(who, 'draws', draws, 2);
  requireInteger(who, 'signDraws', signDraws, 3);
  requireNumber(who, 'tolerance', tolerance, 0);

  return measureAlong(objective, () => {
    let top: Eigenpairs | null = null;
    let bottom: Eigenpairs | null = null;
    let spread: Eigenpairs | null = null;
    return async (point, step) => {
      const eta = step.learningRate;
      const settings = { who, count: 1, tolerance };
      top = await hessianEigenpairs(point, settings, top);
      bottom = await hessianEigenpairs(point, { ...settings, end: 'smallest' }, bottom);
      spread = await covarianceEigenpairs(point, settings, spread);
      const lambda1C1 = spread.pairs[0]!.value;
      const gradient = await point.gradient();
      const { product: Hg } = await point.hessianVector(gradient);
      const v = Float32Array.from(gradient, (g, k) => g - eta * Hg[k]!);
      const { projections } = await point.hessianVector(v);
      const vC1v = covariance(projections!, projections!);
      const square = await traceSquare(point, seed, step.index, signDraws);

      const rows: Row<typeof table>[] = [];
      for (const batchSize of batchSizes) {
        const share = (eta ** 2 * samplingCoefficient(n, batchSize, replacement)) / batchSize;
        const variance = share * vC1v + (share ** 2 / 2) * square.value;
        const beta = Math.sqrt(2 * variance);
        const full = isFullBatch(n, batchSize, replacement);
        const losses = new Float64Array(full ? 1 : draws);
        for (const k of losses.keys()) {
          const draw = { seed, step: step.index, batchSize, replacement };
          const direction = full ? gradient : (await point.batchGradient(sampledBatch(n, draw, k))).gradient;
          losses[k] = await point.moved(direction, -eta).loss();
        }
        const center = mean(losses);
        const rounding = ROUNDING * Math.abs(center);
        for (const x of tails) {
          const upper = beta * Math.sqrt(x) + share * Math.max(top.pairs[0]!.value, 0) * lambda1C1 * x;
          const lower = -beta * Math.sqrt(x) - share * Math.max(-bottom.pairs[0]!.value, 0) * lambda1C1 * x;
          rows.push({
            step: step.index,
            batch_size: batchSize,
            replacement,
            x,
            allowed_share: Math.exp(-x),
            beta,
            upper_bound: upper,
            lower_bound: lower,
            share_above: losses.filter((loss) => loss - center > upper + rounding).length / losses.length,
            share_below: losses.filter((loss) => loss - center < lower - rounding).length / losses.length,
            next_loss_mean: center,
            next_loss_std: full ? 0 : Math.sqrt((covariance(losses, losses) * draws) / (draws - 1)),
            predicted_std: Math.sqrt(variance),
            v_C1_v: vC1v,
            trace_HC1HC1: square.value,
            trace_HC1HC1_standard_error: square.standardError,
            lambda_1_C1: lambda1C1,
            draws: full ? 0 : draws,
          });
        }
      }
      return rows;
    };
  });
}
theoremOne.table = table;
