import * as columns from '../core/columns.ts';
import { BrinkError } from '../core/errors.ts';
import type { Point } from '../core/Objective.ts';
import { oneOf } from '../core/optionKinds.ts';
import type { Step } from '../core/Step.ts';
import { defineTable, float64, int32, nullable, type Row } from '../core/Table.ts';
import * as usual from '../core/usualOptions.ts';
import { criticalStep, type DescentLine, gradientLine } from '../estimators/criticalStep.ts';
import { dot } from '../linalg/vector.ts';
import type { Measurement } from '../operators/measure.ts';
import { type OptionsOf, probe } from './probe.ts';

const table = defineTable({
  name: 'critical_sharpness',
  description: 'Critical sharpness at a step: from the smallest step down the gradient that raises the loss.',
  key: ['step'],
  columns: {
    step: columns.step(),
    critical_sharpness: nullable(
      float64({
        symbol: 'λ_c',
        description: '2/η_c; null where no such step is found within the limit, or the direction is no descent.',
      }),
    ),
    critical_step: nullable(
      float64({
        symbol: 'η_c',
        description: 'The smallest η > 0 from which on the loss at θ − ηd is above that at θ; null as λ_c.',
      }),
    ),
    quadratic_sharpness: float64({
      symbol: 'dᵀHd/dᵀ∇',
      description:
        'What λ_c is where the loss is quadratic along d: ‖H‖_{S_n} for the gradient; of the loss that is asked.',
    }),
    gap: nullable(
      float64({
        symbol: 'λ_c − dᵀHd/dᵀ∇',
        description: 'How far the loss is from quadratic along d: above 0 where it rises sooner; null as λ_c.',
      }),
    ),
    slope: float64({
      symbol: 'dᵀ∇',
      description: 'Derivative of the loss that is asked along d: the weight of λ_c in a ratio of means.',
    }),
    plain_edge: columns.plainEdge(),
    evaluations: int32({ symbol: '', description: 'How often the loss was asked for.' }),
  },
});

/** A row of `criticalSharpness`. */
export interface CriticalSharpnessRow extends Row<typeof table> {}

/** Options of `criticalSharpness`. */
export type CriticalSharpnessOptions = OptionsOf<typeof criticalSharpness>;

/**
 * The critical sharpness λ_c = 2/η_c, η_c the smallest step down the gradient that raises the loss: by doubling, then
 * narrowing, from where the quadratic model returns to 0.
 *
 *     η_c = min {η > 0 : L(θ − ηd) > L(θ)},  d = ∇L [m], or g_b of the batch of the step
 *
 * Where L is quadratic along d = ∇L it *is* ‖H‖_{S_n} = ∇LᵀH∇L/‖∇L‖², so that their difference, the gap, is in one
 * number how far the valley is from quadratic (Figure 3). Along d = g_b on the training loss a quadratic has λ_c =
 * g_bᵀHg_b/g_bᵀ∇L: its ratio of means over batches, Σ slope·λ_c/Σ slope, is tr(HS_b)/tr(S_n). Along g_b on the batch's
 * own loss it has g_bᵀH_bg_b/‖g_b‖², whose mean is the batch sharpness.
 *
 * It is one line through a space of m dimensions. A rise and fall within the search's first step, or between two
 * doublings, is not seen. Where g_bᵀ∇L ≤ 0 the batch leads upwards from the start and λ_c is null: a ratio of means
 * over the other batches has a bias then. Where the loss hardly changes float32's rounding of it, some 1e-7 of L, is
 * what is compared.
 *
 * Source: Kalra et al. (arXiv 2601.16979); Lee and Jang (2023), Figure 3.
 *
 * @throws BrinkError where an option is out of range, the batch's own loss is asked for along ∇L, or a step does not
 *   say which examples its batch has.
 * @example
 * import { criticalSharpness, gradientDescent, toy } from 'brink';
 * import { lastValueFrom } from 'rxjs';
 *
 * const steps = gradientDescent(toy(), { learningRate: 2 / 32, steps: 60, initialWeights: [3, 0.1] });
 * const { critical_sharpness, plain_edge } = await lastValueFrom(steps.pipe(criticalSharpness()));
 * console.log(critical_sharpness?.toFixed(1), plain_edge); // 35.2 32
 * @see sliceMinimum, interactionAwareSharpness, batchSharpness
 */
export const criticalSharpness = probe({
  name: 'criticalSharpness',
  asks: 'Which step would raise the loss? λ_c = 2/η_c, from a few forward passes',
  table,
  cost: '∇L and H∇L (shared), and some 2 to 6 forward passes, shared with sliceMinimum; along the batch b/n gradients and a product, and on its own loss b/n gradients for each forward pass and b/n of the product instead.',
  options: {
    direction: oneOf(['gradient', 'batch'], {
      default: 'gradient',
      description: "d. 'gradient': ∇L; 'batch': the gradient g_b, at θ, of the batch of the step.",
    }),
    loss: oneOf(['train', 'batch'], {
      default: 'train',
      description: "Which loss must rise. 'train': L; 'batch': the batch's own, along 'batch'.",
    }),
    tolerance: usual.stepTolerance('η_c'),
    limit: usual.searchLimit(),
  },
  check: ({ direction = 'gradient', loss = 'train' }) => {
    if (loss === 'train' || direction === 'batch') return;
    throw new BrinkError(
      'criticalSharpness',
      "loss is 'batch' and direction 'gradient'. The batch's own loss is followed along its own gradient; ask for direction: 'batch'.",
    );
  },
  needs: ({ direction }) => (direction === 'gradient' ? ['learningRate'] : ['learningRate', 'batchSize']),
  begin: ({ direction, loss, tolerance, limit }): Measurement<CriticalSharpnessRow> => {
    return async (point, step) => {
      const line = direction === 'gradient' ? await gradientLine(point) : await batchLine(point, step, loss);
      const settings = { learningRate: step.learningRate, tolerance, limit };
      const { alpha, evaluations } = await criticalStep(line, settings);
      const quadratic = line.curvature / line.slope;
      return {
        step: step.index,
        critical_sharpness: alpha && 2 / alpha,
        critical_step: alpha,
        quadratic_sharpness: quadratic,
        gap: alpha && 2 / alpha - quadratic,
        slope: line.slope,
        plain_edge: 2 / step.learningRate,
        evaluations,
      };
    };
  },
});

/** A loss along −g_b: L, or that of the batch itself. */
async function batchLine(point: Point, step: Step, loss: 'train' | 'batch'): Promise<DescentLine> {
  const { batch, batchSize, index } = step;
  if (batch === null) {
    if (batchSize === point.objective.exampleCount) return gradientLine(point);
    throw new BrinkError(
      'criticalSharpness',
      `step ${index} does not say which ${batchSize} of ${point.objective.exampleCount} examples its batch has. Its source must; or ask for direction: 'gradient'.`,
    );
  }
  const own = await point.batchGradient(batch);
  const { gradient } = own;
  const there = (alpha: number) => point.moved(gradient, -alpha);
  if (loss === 'batch') {
    return {
      slope: dot(gradient, gradient),
      curvature: dot(gradient, await point.batchHessianVector(batch, gradient)),
      change: async (alpha) => (await there(alpha).batchGradient(batch)).loss - own.loss,
    };
  }
  const full = await point.gradient();
  const here = await point.loss();
  return {
    slope: dot(gradient, full),
    curvature: dot(gradient, (await point.hessianVector(gradient)).product),
    change: async (alpha) => (await there(alpha).loss()) - here,
  };
}
