import type { OperatorFunction } from 'rxjs';
import { BrinkError } from '../core/errors.ts';
import type { Objective } from '../core/Objective.ts';
import type { Step } from '../core/Step.ts';
import { defineTable, float64, int32, nullable, type Row } from '../core/Table.ts';
import { dot } from '../linalg/vector.ts';
import { measure } from '../operators/measure.ts';

const table = defineTable({
  name: 'slices',
  description: 'The training loss along the negative gradient at a step, one row for each point of the slice.',
  key: ['step', 'alpha'],
  columns: {
    step: int32({ symbol: 't', description: 'The step.' }),
    alpha: float64({ symbol: 'α', description: 'Distance from θ_t in steps of size η: the point is θ − αη∇L.' }),
    loss: float64({ symbol: 'L(θ − αη∇L)', description: 'The training loss there.' }),
    loss_change: float64({ symbol: 'ΔL(α)', description: 'L(θ − αη∇L) − L(θ).' }),
    quadratic_change: float64({ symbol: '', description: 'The quadratic baseline, −αη‖∇L‖² + (α²η²/2)∇LᵀH∇L.' }),
    directional_sharpness: nullable(
      float64({
        symbol: '‖H_α‖_{S_n(θ)}',
        description: '∇LᵀH(θ − αη∇L)∇L/‖∇L‖² with ∇L at θ; null where it was not asked for.',
      }),
    ),
  },
});

export interface LossSliceOptions {
  /** α, each finite and named once; default −1, −¾, …, 2. */
  readonly alphas?: readonly number[];
  /** Those α at which the directional sharpness is measured too; default ¼, ½, ¾, 1, 1¼. */
  readonly directional?: readonly number[];
}

const EVERY_QUARTER = Array.from({ length: 13 }, (_, k) => (k - 4) / 4);
const PAPER = [0.25, 0.5, 0.75, 1, 1.25];

/**
 * The training loss along −η∇L beside its quadratic model, and the directional sharpness along the way.
 *
 * ΔL(α) = L(θ − αη∇L) − L(θ) and −αη‖∇L‖² + (α²η²/2)∇LᵀH∇L; ‖H_α‖_{S_n(θ)} = ∇LᵀH(θ − αη∇L)∇L/‖∇L‖², ∇L at θ.
 * Where the two part, the third order matters: the valley is asymmetric.
 *
 * It is one line through a space of m dimensions and says nothing about the others; with momentum or batches the step
 * actually taken lies on another line.
 *
 * Cost: H∇L (shared), one forward pass for each α, one product for each α of `directional`.
 *
 * @param objective The training loss.
 * @param options `alphas`, `directional`, both in steps of size η.
 * @throws BrinkError at the call where an α is not finite or named twice.
 * Source: Lee and Jang (2023), Section 4.2 and Figure 3.
 */
export function lossSlice(
  objective: Objective,
  options: LossSliceOptions = {},
): OperatorFunction<Step, Row<typeof table>> {
  const who = 'lossSlice';
  const { alphas = EVERY_QUARTER, directional = PAPER } = options;
  for (const [name, list] of Object.entries({ alphas, directional })) {
    list.forEach((alpha, i) => {
      if (!Number.isFinite(alpha)) throw new BrinkError(who, `${name}[${i}] is ${alpha}. It must be a finite number.`);
      if (list.indexOf(alpha) !== i)
        throw new BrinkError(who, `${name} names ${alpha} twice. A row is named by its step and α.`);
    });
  }
  const all = [...new Set([...alphas, ...directional])].sort((a, b) => a - b);
  if (all.length === 0) throw new BrinkError(who, 'alphas and directional are both empty. Name at least one α.');

  return measure(objective, async (point, step) => {
    const eta = step.learningRate;
    const gradient = await point.gradient();
    const { product } = await point.hessianVector(gradient);
    const loss = await point.loss();
    const normSquared = dot(gradient, gradient);
    const curvature = dot(gradient, product);
    const rows: Row<typeof table>[] = [];
    for (const alpha of all) {
      const there = point.moved(gradient, -alpha * eta);
      const lossThere = await there.loss();
      rows.push({
        step: step.index,
        alpha,
        loss: lossThere,
        loss_change: lossThere - loss,
        quadratic_change: -alpha * eta * normSquared + ((alpha * eta) ** 2 / 2) * curvature,
        directional_sharpness: directional.includes(alpha)
          ? dot(gradient, (await there.hessianVector(gradient)).product) / normSquared
          : null,
      });
    }
    return rows;
  });
}
lossSlice.table = table;
