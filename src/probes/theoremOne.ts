import * as columns from '../core/columns.ts';
import { integer, numbers } from '../core/optionKinds.ts';
import { defineTable, float64, int32, type Row } from '../core/Table.ts';
import * as usual from '../core/usualOptions.ts';
import { covarianceEigenpairs } from '../estimators/covarianceEigenpairs.ts';
import { hessianEigenpairs } from '../estimators/hessianEigenpairs.ts';
import { projectionsOf, requireUncoupled } from '../estimators/require.ts';
import { sampledNextLoss } from '../estimators/sampledBatches.ts';
import { traceSquare } from '../estimators/traceSquare.ts';
import type { Eigenpairs } from '../linalg/eigenpairs.ts';
import { covariance, mean } from '../linalg/vector.ts';
import type { Measurement } from '../operators/measure.ts';
import { isFullBatch } from '../theory/isFullBatch.ts';
import { samplingCoefficient } from '../theory/samplingCoefficient.ts';
import { type OptionsOf, probe } from './probe.ts';

const table = defineTable({
  name: 'theorem_one',
  description: 'The tail bounds of Theorem 1 on the next loss at a step, and how often sampled losses pass them.',
  key: ['step', 'batch_size', 'x'],
  columns: {
    step: columns.step(),
    batch_size: columns.batchSize(),
    replacement: columns.replacement(),
    x: float64({ symbol: 'x', description: 'The tail: each bound is passed with probability at most e^{−x}.' }),
    allowed_share: float64({ symbol: 'e^{−x}', description: 'That probability.', scale: 'share', isReference: true }),
    beta: float64({
      symbol: 'β',
      description: '√(2 Var[L_{t+1}]), from its closed form: the slope of the bounds in √x.',
    }),
    upper_bound: float64({
      symbol: '',
      description: 'β√x + (η²γ/b) λ₁⁺ ‖C₁‖ x: what L_{t+1} − E[L_{t+1}] rarely exceeds.',
      scale: 'bound',
    }),
    lower_bound: float64({
      symbol: '',
      description:
        '−β√x − (η²γ/b) λ_m⁻ ‖C₁‖ x: what it rarely falls below; λ_m⁻ = 0 where H has no negative eigenvalue.',
      scale: 'bound',
    }),
    share_above: float64({
      symbol: '',
      description: 'Share of the sampled next losses above the upper bound.',
      scale: 'share',
    }),
    share_below: float64({
      symbol: '',
      description: 'Share of the sampled next losses below the lower bound.',
      scale: 'share',
    }),
    next_loss_mean: float64({ symbol: 'E[L_{t+1}]', description: 'Mean of the sampled next losses.' }),
    next_loss_std: float64({ symbol: 'std[L_{t+1}]', description: 'Their standard deviation.', scale: 'spread' }),
    predicted_std: float64({
      symbol: 'std[L_{t+1}]',
      description: 'The same from the closed form of Lemma 3, for a quadratic loss and normal gradients.',
      scale: 'spread',
      isReference: true,
    }),
    v_C1_v: float64({ symbol: 'vᵀC₁v', description: 'With v = (I − ηH)∇L; exact.' }),
    trace_HC1HC1: float64({ symbol: 'tr(HC₁HC₁)', description: 'By pairs of random signs.' }),
    trace_HC1HC1_standard_error: columns.standardError('trace_HC1HC1', 'by the jackknife'),
    lambda_1_C1: float64({
      symbol: '‖C₁‖',
      description: 'The largest eigenvalue of the covariance of the gradient of one example.',
    }),
    draws: int32({ symbol: 'K', description: 'Sampled next losses; 0: the full batch, where there is one.' }),
  },
});

/** A row of `theoremOne`. */
export interface TheoremOneRow extends Row<typeof table> {}

/** Options of `theoremOne`. */
export type TheoremOneOptions = OptionsOf<typeof theoremOne>;

/** Losses closer than this share of them are told apart by float32's rounding only. */
const ROUNDING = 1e-6;

/**
 * Theorem 1 as numbers: how far L_{t+1} strays from its mean over the batch, with the share of sampled batches beyond.
 *
 * On a quadratic loss with g_ξ normal, Var[L_{t+1}] = η²(γ/b) vᵀC₁v + (η²γ/b)²/2 · tr(HC₁HC₁) with v = (I − ηH)∇L,
 * and with β = √(2 Var[L_{t+1}]), s = η²γ/b: P(L_{t+1} − E[L_{t+1}] ≥ β√x + s λ₁⁺‖C₁‖x) ≤ e^{−x} and
 * P(L_{t+1} − E[L_{t+1}] ≤ −β√x − s λ_m⁻‖C₁‖x) ≤ e^{−x}, with λ₁⁺ = max(λ₁, 0) and λ_m⁻ = max(−λ_m, 0): where H is
 * indefinite the lower tail needs its last term too.
 *
 * Gradients of small batches are not normal, and a network's loss is not quadratic: the shares say how far this
 * matters. They are themselves uncertain by √(e^{−x}/K).
 *
 * Source: Lee and Jang (2023), Theorem 1 and Lemma 3, re-derived; Laurent and Massart (2000), Lemma 1.
 *
 * @throws BrinkError where an option is out of range, or the objective has batch normalisation, which couples examples.
 * @example
 * import { gradientDescent, leastSquares, theoremOne } from 'brink';
 * import { firstValueFrom } from 'rxjs';
 *
 * const objective = leastSquares({ X: [[1, 0], [0, 2], [1, 1], [2, 1]], y: [1, 1, 0, 3] });
 * const steps = gradientDescent(objective, { learningRate: 0.1, steps: 0, initialWeights: [0, 0] });
 * const row = await firstValueFrom(steps.pipe(theoremOne({ batchSizes: [2], draws: 500, tails: [1] })));
 * console.log(row.share_above <= row.allowed_share, row.allowed_share.toFixed(3)); // true 0.368
 * @see expectedLossChange
 */
export const theoremOne = probe({
  name: 'theoremOne',
  asks: 'How far does the next loss stray, and how often beyond the bound?',
  table,
  cost: 'H∇L and a product more, eigenpairs at both ends of H and the top one of C₁ (a product and a gradient each time), signDraws gradients and products, and for each b and draw b/n gradients and one forward pass; 2 signDraws and, for each b, K vectors of m are held at the step.',
  options: {
    batchSizes: usual.neededBatchSizes(),
    tails: numbers({
      above: 0,
      key: 'its tail',
      default: [1, 2],
      description: 'x: bounds are passed with probability at most e^{−x}.',
    }),
    replacement: usual.replacement(),
    draws: integer({ least: 2, default: 64, description: 'Sampled next losses.' }),
    signDraws: integer({
      least: 3,
      default: 64,
      description: 'Random signs for tr(HC₁HC₁): fewer mostly give too little.',
    }),
    tolerance: usual.tolerance(1e-2),
    seed: usual.seed(),
  },
  needs: () => ['learningRate'],
  begin: (options, objective): Measurement<TheoremOneRow> => {
    const who = 'theoremOne';
    const { batchSizes, tails, replacement, draws, signDraws, tolerance, seed } = options;
    requireUncoupled(who, objective, 'Use expectedLossChange, which samples batches.');
    const n = objective.exampleCount;
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
      const projections = projectionsOf(await point.hessianVector(v));
      const vC1v = covariance(projections, projections);
      const square = await traceSquare(point, seed, step.index, signDraws);

      const rows: TheoremOneRow[] = [];
      for (const batchSize of batchSizes) {
        const share = (eta ** 2 * samplingCoefficient(n, batchSize, replacement)) / batchSize;
        const variance = share * vC1v + (share ** 2 / 2) * square.value;
        const beta = Math.sqrt(2 * variance);
        const full = isFullBatch(n, batchSize, replacement);
        const losses = new Float64Array(full ? 1 : draws);
        const draw = { seed, step: step.index, batchSize, replacement };
        for (const k of losses.keys()) {
          losses[k] = await (full ? point.moved(gradient, -eta).loss() : sampledNextLoss(point, draw, k, eta));
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
  },
});
