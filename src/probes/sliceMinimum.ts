import * as columns from '../core/columns.ts';
import { defineTable, float64, int32, nullable, type Row } from '../core/Table.ts';
import * as usual from '../core/usualOptions.ts';
import { criticalStep, gradientLine } from '../estimators/criticalStep.ts';
import { goldenSection } from '../linalg/goldenSection.ts';
import type { Measurement } from '../operators/measure.ts';
import { type OptionsOf, probe } from './probe.ts';

const table = defineTable({
  name: 'slice_minima',
  description: 'Where the training loss along the negative gradient has its minimum and returns to what it was.',
  key: ['step'],
  columns: {
    step: columns.step(),
    alpha_min: nullable(
      float64({
        symbol: 'α_{min}',
        description: 'Where ΔL(α) = L(θ − αη∇L) − L(θ) is least, in steps of size η; null with α_zero.',
      }),
    ),
    alpha_zero: nullable(
      float64({
        symbol: 'α_{zero}',
        description: 'The smallest α > 0 from which on ΔL(α) > 0; null where none is found within the limit.',
      }),
    ),
    alpha_zero_quadratic: nullable(
      float64({
        symbol: '2/(η‖H‖_{S_n})',
        description: 'Where the quadratic model returns to 0, twice where it is least; null where it curves downwards.',
      }),
    ),
    shift: nullable(
      float64({
        symbol: 'α_{zero} η‖H‖_{S_n}/2',
        description: 'α_zero over that of the quadratic: below 1 where the valley ends sooner; null if either is.',
      }),
    ),
    minimum_shift: nullable(
      float64({
        symbol: 'α_{min} η‖H‖_{S_n}',
        description: 'α_min over that of the quadratic: below 1 where the minimum lies to the left; null as shift.',
      }),
    ),
    least_change: nullable(
      float64({
        symbol: 'ΔL(α_{min})',
        description: 'The least change of the loss along the slice; null with α_{zero}.',
      }),
    ),
    evaluations: int32({ symbol: '', description: 'How often the loss was asked for.' }),
  },
});

/** A row of `sliceMinimum`. */
export interface SliceMinimumRow extends Row<typeof table> {}

/** Options of `sliceMinimum`. */
export type SliceMinimumOptions = OptionsOf<typeof sliceMinimum>;

/**
 * The slice of Figure 3 in four numbers: where the training loss along −η∇L is least and where it returns to what it
 * was, each over the same of the quadratic model.
 *
 *     ΔL(α) = L(θ − αη∇L) − L(θ),  shift = α_zero/(2/(η‖H‖_{S_n})),  minimum shift = α_min/(1/(η‖H‖_{S_n}))
 *
 * Both shifts are 1 where L is quadratic along the gradient, below 1 where the third order makes the valley end sooner
 * (minima move left), above 1 where it makes it longer. α_zero by doubling and narrowing, α_min by golden section
 * before it.
 *
 * It is one line through a space of m dimensions. The minimum is the only one where ΔL falls once and rises once; of a
 * slice with several it is one of them. Where the loss hardly changes float32's rounding of it, some 1e-7 of L, blurs
 * α_min by more than the tolerance: its error is √(1e-7 L/|ΔL(α_min)|) of it.
 *
 * Source: Lee and Jang (2023), Section 4.2 and Figure 3.
 *
 * @throws BrinkError where an option is out of range.
 * @example
 * import { gradientDescent, sliceMinimum, toy } from 'brink';
 * import { firstValueFrom } from 'rxjs';
 *
 * const steps = gradientDescent(toy(), { learningRate: 1 / 4, steps: 0, initialWeights: [1, 0] });
 * const { alpha_min, alpha_zero, shift } = await firstValueFrom(steps.pipe(sliceMinimum()));
 * console.log(alpha_min?.toFixed(1), alpha_zero?.toFixed(2), shift?.toFixed(2)); // 2.0 4.00 1.00
 * @see lossSlice, criticalSharpness
 */
export const sliceMinimum = probe({
  name: 'sliceMinimum',
  asks: 'Does the valley along the step end sooner than a parabola, or later?',
  table,
  cost: '∇L and H∇L (shared), some 2 to 6 forward passes for α_zero, shared with criticalSharpness, and for α_min 12 more, or as many as the tolerance asks.',
  options: {
    tolerance: usual.stepTolerance('α_zero'),
    limit: usual.searchLimit(),
  },
  needs: () => ['learningRate'],
  begin:
    ({ tolerance, limit }): Measurement<SliceMinimumRow> =>
    async (point, step) => {
      const eta = step.learningRate;
      const line = await gradientLine(point);
      const root = (2 * line.slope) / line.curvature / eta;
      const quadratic = root > 0 && Number.isFinite(root) ? root : null;
      const { alpha, evaluations } = await criticalStep(line, { learningRate: eta, tolerance, limit });
      const nothing = { alpha_min: null, alpha_zero: null, shift: null, minimum_shift: null, least_change: null };
      const row = { step: step.index, alpha_zero_quadratic: quadratic, evaluations };
      if (alpha === null) return { ...row, ...nothing };
      const least = await goldenSection(line.change, 0, alpha, tolerance);
      return {
        ...row,
        alpha_min: least.at / eta,
        alpha_zero: alpha / eta,
        shift: quadratic && alpha / eta / quadratic,
        minimum_shift: quadratic && (2 * least.at) / eta / quadratic,
        least_change: least.value,
        evaluations: evaluations + least.evaluations,
      };
    },
});
