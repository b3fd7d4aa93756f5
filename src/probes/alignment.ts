import * as columns from '../core/columns.ts';
import { integer } from '../core/optionKinds.ts';
import { defineTable, float64, int32, nullable, type Row } from '../core/Table.ts';
import * as usual from '../core/usualOptions.ts';
import { hessianEigenpairs } from '../estimators/hessianEigenpairs.ts';
import type { Eigenpairs } from '../linalg/eigenpairs.ts';
import { cosine, dot, norm } from '../linalg/vector.ts';
import type { Measurement } from '../operators/measure.ts';
import { type OptionsOf, probe } from './probe.ts';

const table = defineTable({
  name: 'alignment',
  description: 'How the gradient, the sharpest direction and the last step lie to each other at a step.',
  key: ['step'],
  columns: {
    step: columns.step(),
    previous_step: nullable(int32({ symbol: "t'", description: 'The step probed before; null at the first.' })),
    cos_q1_gradient: float64({
      symbol: '|cos(q₁, ∇L)|',
      description: 'Of the sharpest direction and the gradient.',
      scale: 'cosine',
    }),
    abs_q1_gradient: float64({
      symbol: '|q₁ᵀ∇L|',
      description: 'Length of the gradient along the sharpest direction.',
      scale: 'length',
    }),
    gradient_norm: float64({ symbol: '‖∇L‖', description: 'Of the full gradient.', scale: 'length' }),
    cos_gradient_previous: nullable(
      float64({
        symbol: "cos(∇L_t', ∇L_t)",
        description: 'Of the gradients at the two steps: near −1 in an oscillation of period two.',
        scale: 'cosine',
      }),
    ),
    cos_q1_previous: nullable(
      float64({
        symbol: "|cos(q₁(H_t'), q₁(H_t))|",
        description: 'Of the sharpest directions at the two steps.',
        scale: 'cosine',
      }),
    ),
    cos_q1_velocity: nullable(
      float64({
        symbol: '|cos(q₁, δ_{t−1})|',
        description: 'Of the sharpest direction and the last update; null without momentum, NaN before the first.',
        scale: 'cosine',
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

/** A row of `alignment`. */
export interface AlignmentRow extends Row<typeof table> {}

/** Options of `alignment`. */
export type AlignmentOptions = OptionsOf<typeof alignment>;

/**
 * The cosines of Theorem 2: |cos(q₁, ∇L)|, |q₁ᵀ∇L|, cos(∇L_{t'}, ∇L_t), |cos(q₁(H_{t'}), q₁(H_t))|, all vectors [m],
 * where t' is the step probed before, and with momentum the same of the update δ_{t−1}.
 *
 * Probe every step (throttleSteps(1)) to have the paper's cosines between neighbours; `previous_step` says which t'
 * was used. An eigenvector is only as sure as its gap: where λ₁ ≈ λ₂, q₁ may turn though H hardly changes. Where
 * H q₁ = 0 no direction is sharp, and all that speaks of q₁ is NaN; at ∇L = 0 the cosines with it are.
 *
 * Source: Lee and Jang (2023), Theorem 2 and Figures 22–25.
 *
 * @throws BrinkError where an option is out of range; in the stream where a product is not finite.
 * @example
 * import { alignment, gradientDescent, toy } from 'brink';
 * import { lastValueFrom } from 'rxjs';
 *
 * const steps = gradientDescent(toy(), { learningRate: 2 / 32, steps: 60, initialWeights: [3, 0.1] });
 * const { cos_q1_gradient, cos_gradient_previous } = await lastValueFrom(steps.pipe(alignment()));
 * console.log(cos_q1_gradient.toFixed(6), cos_gradient_previous?.toFixed(6)); // 1.000000 -1.000000
 * @see topEigenvalues, interactionAwareSharpness
 */
export const alignment = probe({
  name: 'alignment',
  asks: 'Does the gradient turn towards the sharpest direction?',
  table,
  cost: 'one gradient and the eigenpairs, both shared with other probes that ask for the same; 3 count + 15 vectors of m stay from step to step.',
  options: {
    count: integer({
      least: 1,
      most: 'm',
      default: 1,
      description: 'Eigenpairs searched for; the count of another probe at the same steps makes both share one search.',
    }),
    tolerance: usual.tolerance(),
  },
  begin: ({ count, tolerance }): Measurement<AlignmentRow> => {
    let eigenpairs: Eigenpairs | null = null;
    let previous: { step: number; gradient: Float32Array; q1: Float32Array } | null = null;
    return async (point, step) => {
      eigenpairs = await hessianEigenpairs(point, { who: 'alignment', count, tolerance }, eigenpairs);
      const { vector, product } = eigenpairs.pairs[0]!;
      // Where H maps it to nothing, it may be no more than where the search began.
      const q1 = norm(product) > 0 ? vector : new Float32Array(vector.length).fill(Number.NaN);
      const gradient = await point.gradient();
      const row = {
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
  },
});
