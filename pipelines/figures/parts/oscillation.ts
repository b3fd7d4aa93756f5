// Figures 24 and 25: beyond the edge the gradient flips its sign from step to step, and the sharpest direction turns.
import { alignment, blockInterval, type Claim, chart, interactionAwareSharpness, line, type MadeRun } from 'brink';
import { type Passage, passages } from './turning.ts';

const NEVER = '‖H‖_{S_n} did not pass the edge within the steps that were measured';

/**
 * The rows from three steps after ‖H‖_{S_n} passes the edge, without those that do not see the step before: the first
 * one of a run that went on where it was cut off.
 */
function lateAngles(run: MadeRun) {
  const { ias } = passages(run);
  if (ias === null) return null;
  return run.rows(alignment).filter(({ step, previous_step }) => step >= ias + 3 && previous_step === step - 1);
}

export function oscillationClaims({ name, learningRate }: Passage, where: string): Claim[] {
  return [
    {
      id: `flips-${name}`,
      says: `With η = ${learningRate} the gradient flips from step to step beyond the edge: cos(∇L_t, ∇L_{t+1}) ≈ −1.`,
      where,
      how: 'median of cos_gradient_previous over the rows from three steps after ias first exceeds edge',
      region: { high: -0.8, why: 'an angle of more than 143° is what “≈ −1” means here' },
      measure: (runs) => {
        const rows = lateAngles(runs.named(name));
        return rows
          ? blockInterval(
              rows.map((row) => row.cos_gradient_previous!),
              'median',
            )
          : NEVER;
      },
    },
    {
      id: `turns-${name}`,
      says: `With η = ${learningRate} the sharpest direction turns abruptly at some steps: |cos(q₁(H_{t+1}), q₁(H_t))| near 0.`,
      where,
      how: 'share of the same rows whose cos_q1_previous is below 0.5',
      region: { low: 0.02, why: 'one step in fifty is more than an accident' },
      measure: (runs) => {
        const rows = lateAngles(runs.named(name));
        return rows
          ? blockInterval(
              rows.map((row) => 0.5 - row.cos_q1_previous!),
              'share',
            )
          : NEVER;
      },
    },
  ];
}

export function oscillationChart(run: MadeRun, title: string, [from, to]: readonly [number, number]) {
  const isShown = ({ step }: { readonly step: number }) => step >= from && step <= to;
  const angles = run.rows(alignment).filter(isShown);
  const sharpness = run.rows(interactionAwareSharpness).filter(isShown);
  const edge = sharpness[0]?.edge ?? 1;
  return chart({
    title,
    description:
      'Cosines of the gradient with the one before, of q₁ with the one before, and of both, beside ‖H‖_{S_n}.',
    x: { title: 'step t' },
    y: { title: 'cosine; ‖H‖_{S_n} over 2/η', domain: [-1.1, 2] },
    layers: [
      line({ name: '‖H‖_{S_n}η/2', rows: sharpness, x: 'step', y: (row) => row.ias / edge }),
      line({ name: '|cos(q₁, ∇L)|', rows: angles, x: 'step', y: 'cos_q1_gradient' }),
      line({ name: 'cos(∇L_{t−1}, ∇L_t)', rows: angles, x: 'step', y: 'cos_gradient_previous' }),
      line({ name: '|cos(q₁(H_{t−1}), q₁(H_t))|', rows: angles, x: 'step', y: 'cos_q1_previous' }),
      line({ name: 'edge', rows: sharpness, x: 'step', y: () => 1, dashed: true }),
    ],
  });
}
