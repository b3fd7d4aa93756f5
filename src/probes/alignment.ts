import type { OperatorFunction } from 'rxjs';
import { requireNumber } from '../core/errors.ts';
import type { Objective } from '../core/Objective.ts';
import type { Step } from '../core/Step.ts';
import { defineTable, float64, int32, nullable, type Row } from '../core/Table.ts';
import { hessianEigenpairs } from '../estimators/hessianEigenpairs.ts';
import type { Eigenpairs } from '../linalg/eigenpairs.ts';
import { cosine, dot, norm } from '../linalg/vector.ts';
import { measureAlong } from '../operators/measure.ts';
import { requireCount } from './requireCount.ts';

const table = defineTable({
  name: 'alignment',
  description: 'How the gradient, the sharpest direction and the last step lie to each other at a step.',
  key: ['step'],
  columns: {
    step: int32({ symbol: 't', description: 'The step.' }),
    previous_step: nullable(int32({ symbol: "t'", description: 'The step probed before; null at the first.' })),
    cos_q1_gradient: float64({ symbol: '|cos(q₁, ∇L)|', description: 'Of the sharpest direction and the gradient.' }),
    abs_q1_gradient: float64({
      symbol: '|q₁ᵀ∇L|',
      description: 'Length of the gradient along the sharpest direction.',
    }),
    gradient_norm: float64({ symbol: '‖∇L‖', description: 'Of the full gradient.' }),
    cos_gradient_previous: nullable(
      float64({
        symbol: "cos(∇L_t', ∇L_t)",
        description: 'Of the gradients at the two steps: near −1 in an oscillation of period two.',
      }),
    ),
    cos_q1_previous: nullable(
      float64({ symbol: "|cos(q₁(H_t'), q₁(H_t))|", description: 'Of the sharpest directions at the two steps.' }),
    ),
    cos_q1_velocity: nullable(
      float64({
        symbol: '|cos(q₁, δ_{t−1})|',
        description: 'Of the sharpest direction and the last update; null without momentum.',
      }),
    ),
    abs_q1_velocity: nullable(
      float64({
        symbol: '|q₁ᵀδ_{t−1}|',
        description: 'Length of the last update along the sharpest direction; null without momentum.',
      }),
    ),
  },
});

export interface AlignmentOptions {
  /** Eigenpairs searched for, default 1; the count of another probe at the same steps makes both share one search. */
  readonly count?: number;
  /** Relative residual of q₁, default 1e-3. */
  readonly tolerance?: number;
}

/**
 * The cosines of Theorem 2: |cos(q₁, ∇L)|, |q₁ᵀ∇L|, cos(∇L_{t'}, ∇L_t), |cos(q₁(H_{t'}), q₁(H_t))|, where t' is the step probed
 * before, and with momentum the same of the update δ_{t−1}.
 *
 * Probe every step (throttleSteps(1)) to have the paper's cosines between neighbours; `previous_step` says which t' was used.
 * An eigenvector is only as sure as its gap: where λ₁ ≈ λ₂, q₁ may turn though H hardly changes. At ∇L = 0 the cosines are NaN.
 *
 * Cost: one gradient and the eigenpair, both shared with other probes that ask for the same.
 *
 * @param objective The training loss.
 * @param options `count` (1), `tolerance` (1e-3).
 * @throws BrinkError at the call where an option is out of range.
 * Source: Lee and Jang (2023), Theorem 2 and Figures 22–25.
 */
export function alignment(
  objective: Objective,
  options: AlignmentOptions = {},
): OperatorFunction<Step, Row<typeof table>> {
  const who = 'alignment';
  const { count = 1, tolerance = 1e-3 } = options;
  requireCount(who, 'count', count, objective, 1);
  requireNumber(who, 'tolerance', tolerance, 0);
  return measureAlong(objective, () => {
    let eigenpairs: Eigenpairs | null = null;
    let previous: { step: number; gradient: Float32Array; q1: Float32Array } | null = null;
    return async (point, step) => {
      eigenpairs = await hessianEigenpairs(point, { who, count, tolerance }, eigenpairs);
      const q1 = eigenpairs.pairs[0]!.vector;
      const gradient = await point.gradient();
      const row: Row<typeof table> = {
        step: step.index,
        previous_step: previous?.step ?? null,
        cos_q1_gradient: Math.abs(cosine(q1, gradient)),
        abs_q1_gradient: Math.abs(dot(q1, gradient)),
        gradient_norm: norm(gradient),
        cos_gradient_previous: previous && cosine(previous.gradient, gradient),
        cos_q1_previous: previous && Math.abs(cosine(previous.q1, q1)),
        cos_q1_velocity: step.velocity && Math.abs(cosine(q1, step.velocity)),
        abs_q1_velocity: step.velocity && Math.abs(dot(q1, step.velocity)),
      };
      previous = { step: step.index, gradient, q1 };
      return row;
    };
  });
}
alignment.table = table;
