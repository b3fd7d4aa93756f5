import * as columns from '../core/columns.ts';
import { BrinkError } from '../core/errors.ts';
import { flag, numbers } from '../core/optionKinds.ts';
import { defineTable, float64, nullable, type Row } from '../core/Table.ts';
import { dot } from '../linalg/vector.ts';
import type { Measurement } from '../operators/measure.ts';
import { type OptionsOf, probe } from './probe.ts';

const table = defineTable({
  name: 'slices',
  description: 'The training loss along the negative gradient at a step, one row for each point of the slice.',
  key: ['step', 'alpha'],
  columns: {
    step: columns.step(),
    alpha: float64({
      symbol: 'α',
      description:
        'Distance from θ_t in steps of size η: the point is θ − αη∇L. With `relative`, in units of the quadratic root.',
    }),
    loss: float64({ symbol: 'L(θ − αη∇L)', description: 'The training loss there.' }),
    loss_change: float64({ symbol: 'ΔL(α)', description: 'L(θ − αη∇L) − L(θ).', scale: 'loss change' }),
    quadratic_change: float64({
      symbol: '',
      description: 'The quadratic baseline, −αη‖∇L‖² + (α²η²/2)∇LᵀH∇L.',
      scale: 'loss change',
      isReference: true,
    }),
    directional_sharpness: nullable(
      float64({
        symbol: '‖H_α‖_{S_n(θ)}',
        description: '∇LᵀH(θ − αη∇L)∇L/‖∇L‖² with ∇L at θ; null where it was not asked for.',
      }),
    ),
  },
});

/** A row of `lossSlice`. */
export interface SlicesRow extends Row<typeof table> {}

/** Options of `lossSlice`. */
export type LossSliceOptions = OptionsOf<typeof lossSlice>;

const EVERY_QUARTER = Array.from({ length: 13 }, (_, k) => (k - 4) / 4);
const PAPER = [0.25, 0.5, 0.75, 1, 1.25];
const KEY = 'its step and α';

/**
 * The training loss along −η∇L beside its quadratic model, and the directional sharpness along the way.
 *
 * ΔL(α) = L(θ − αη∇L) − L(θ) and −αη‖∇L‖² + (α²η²/2)∇LᵀH∇L; ‖H_α‖_{S_n(θ)} = ∇LᵀH(θ − αη∇L)∇L/‖∇L‖², ∇L at θ.
 * Where the two part, the third order matters: the valley is asymmetric. With `relative` α is measured in units of
 * where the quadratic returns to 0, 2/(η‖H‖_{S_n}), so that slices of many steps lie on one another: it is least at ½.
 *
 * It is one line through a space of m dimensions and says nothing about the others; with momentum or batches the step
 * actually taken lies on another line.
 *
 * Source: Lee and Jang (2023), Section 4.2 and Figure 3.
 *
 * @throws BrinkError where an α is not finite or named twice, or none is named.
 * @example
 * import { gradientDescent, lossSlice, toy } from 'brink';
 * import { firstValueFrom, toArray } from 'rxjs';
 *
 * const steps = gradientDescent(toy(), { learningRate: 1 / 4, steps: 0, initialWeights: [1, 0] });
 * const rows = await firstValueFrom(steps.pipe(lossSlice({ alphas: [0, 2], directional: [2] }), toArray()));
 * console.log(rows.map(({ loss_change }) => loss_change)); // [ 0, -1 ]
 * console.log(rows[1]?.quadratic_change, rows[1]?.directional_sharpness); // -1 2
 * @see sliceMinimum, lossPlane, expectedLossChange
 */
export const lossSlice = probe({
  name: 'lossSlice',
  asks: 'Is the valley quadratic along the step? With the directional sharpness',
  table,
  cost: '∇L and H∇L (shared), one forward pass for each α, one product for each α of `directional`.',
  options: {
    alphas: numbers({
      empty: true,
      key: KEY,
      default: EVERY_QUARTER,
      description: 'α, in steps of size η, or `relative`.',
    }),
    directional: numbers({
      empty: true,
      key: KEY,
      default: PAPER,
      description: 'Those α at which the directional sharpness is measured too.',
    }),
    relative: flag({
      default: false,
      description:
        'Whether α is in units of 2/(η‖H‖_{S_n}), where the quadratic model returns to 0; where it does not, a step has no rows.',
    }),
  },
  check: ({ alphas = EVERY_QUARTER, directional = PAPER }) => {
    if (alphas.length + directional.length > 0) return;
    throw new BrinkError('lossSlice', 'alphas and directional are both empty. Name at least one α.');
  },
  needs: ({ relative }) => (relative ? [] : ['learningRate']),
  begin: ({ alphas, directional, relative }): Measurement<SlicesRow> => {
    const all = [...new Set([...alphas, ...directional])].sort((a, b) => a - b);
    return async (point, step) => {
      const eta = step.learningRate;
      const gradient = await point.gradient();
      const { product } = await point.hessianVector(gradient);
      const loss = await point.loss();
      const normSquared = dot(gradient, gradient);
      const curvature = dot(gradient, product);
      const unit = relative ? (2 * normSquared) / curvature : eta;
      if (relative && !(unit > 0 && Number.isFinite(unit))) return [];
      const rows: SlicesRow[] = [];
      for (const alpha of all) {
        const length = alpha * unit;
        const there = point.moved(gradient, -length);
        const lossThere = await there.loss();
        rows.push({
          step: step.index,
          alpha,
          loss: lossThere,
          loss_change: lossThere - loss,
          quadratic_change: -length * normSquared + (length ** 2 / 2) * curvature,
          directional_sharpness: directional.includes(alpha)
            ? dot(gradient, (await there.hessianVector(gradient)).product) / normSquared
            : null,
        });
      }
      return rows;
    };
  },
});
