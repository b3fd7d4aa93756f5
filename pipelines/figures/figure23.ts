// Figure 23: after λ₁ passes the edge the cosine rises, then ‖H‖_{S_n}, then |q₁ᵀ∇L|, which grows as Theorem 2 says.
import {
  alignment,
  type Claim,
  chart,
  figure,
  interactionAwareSharpness,
  line,
  lineFitInterval,
  type MadeRun,
  panels,
  rule,
  topEigenvalues,
} from 'brink';
import { networkSettings, tanhMlp } from './parts/networks.ts';
import { type Passage, passageRun, passages } from './parts/turning.ts';

interface Preset {
  readonly runs: readonly Passage[];
}

const passage = (learningRate: number, from: number, to: number): Passage => ({
  ...{ name: `gd-${learningRate}`, network: tanhMlp, learningRate, from, to, seed: 1 },
});
const resnet9 = { model: 'resnet9', data: 'cifar-10', examples: 8192, loss: 'ce' } as const;

const presets = {
  smoke: { runs: [{ ...passage(0.4, 10, 40), network: { ...tanhMlp, examples: 128 } }] },
  laptop: { runs: [passage(0.2, 130, 300), passage(0.25, 10, 160), passage(0.4, 0, 120)] },
  paper: {
    runs: [
      { ...passage(0.04, 50, 150), network: resnet9 },
      { ...passage(0.08, 0, 100), network: resnet9 },
    ],
  },
} satisfies Record<string, Preset>;

const TOO_FEW =
  'fewer than 8 steps lie between where λ₁ passes the edge, with q₁ᵀ∇L above float32’s rounding, and where ‖H‖_{S_n} or λ₂ does';
/** A cosine below which there is nothing but float32's rounding. */
const ROUNDING = 1e-5;
const NOT_PASSED = 'λ₁ or ‖H‖_{S_n} did not pass the edge within the steps that were measured';

/**
 * ln|q₁ᵀ∇L| beside Σ ln(ηλ₁ − 1), from where λ₁ passes the edge to where ‖H‖_{S_n} does, or before that λ₂: the theorem
 * is of one eigenvalue beyond the edge. Below a cosine of 1e-5 q₁ᵀ∇L is float32's rounding.
 */
function growthRows(run: MadeRun) {
  const { lambda1, lambda2, ias } = passages(run);
  if (lambda1 === null || ias === null) return [];
  const end = Math.min(ias, lambda2 ?? ias);
  const eigenvalues = run.rows(topEigenvalues);
  let sum = 0;
  return run.rows(alignment).flatMap(({ step, abs_q1_gradient, cos_q1_gradient }, i) => {
    const { lambda_1, edge } = eigenvalues[i]!;
    if (step < lambda1 || step > end) return [];
    const row = { step, predicted: sum, measured: Math.log(abs_q1_gradient) };
    const isNoise = cos_q1_gradient < ROUNDING;
    sum += Math.log(Math.max((2 * lambda_1) / edge - 1, Number.MIN_VALUE));
    return isNoise ? [] : [row];
  });
}

/** The first step at which a value exceeds a share of its largest up to where ‖H‖_{S_n} passes the edge. */
function risesAt<R extends { readonly step: number }>(
  run: MadeRun,
  rows: readonly R[],
  value: (row: R) => number,
): number | null {
  const { lambda1, ias } = passages(run);
  if (lambda1 === null || ias === null) return null;
  const seen = rows.filter(({ step }) => step >= lambda1 && step <= ias + 20);
  const peak = Math.max(...seen.map(value));
  return seen.find((row) => value(row) > 0.1 * peak)?.step ?? null;
}

function orderClaim(
  name: string,
  id: string,
  says: string,
  between: (run: MadeRun) => readonly (number | null)[],
): Claim {
  return {
    id: `${id}-${name}`,
    says,
    where: 'Appendix C.3, Figure 23',
    how: 'steps between where each first exceeds a tenth of its largest value, from where λ₁ passes the edge to 20 steps after ‖H‖_{S_n} does',
    region: { low: 0, why: '“before”, or at the same step' },
    measure: (runs) => {
      const [first, second] = between(runs.named(name));
      if (first == null || second == null) return NOT_PASSED;
      const value = second - first;
      return {
        value,
        low: value,
        high: value,
        method: 'one event: counted, without an error',
        size: 1,
        effectiveSize: 1,
      };
    },
  };
}

function claimsOf({ name, learningRate }: Passage): Claim[] {
  const cosine = (run: MadeRun) => risesAt(run, run.rows(alignment), (row) => row.cos_q1_gradient);
  const ias = (run: MadeRun) => risesAt(run, run.rows(interactionAwareSharpness), (row) => row.ias);
  const gradient = (run: MadeRun) => risesAt(run, run.rows(alignment), (row) => row.abs_q1_gradient);
  return [
    {
      id: `growth-${name}`,
      says: `With η = ${learningRate} |q₁ᵀ∇L| grows by the factor ηλ₁ − 1 at each step.`,
      where: 'Theorem 2, Figure 23',
      how: 'slope of ln abs_q1_gradient against Σ ln(η lambda_1 − 1), from where λ₁ passes the edge to where ‖H‖_{S_n} or λ₂ does, where cos_q1_gradient is above 1e-5',
      region: { low: 0.9, high: 1.1, why: 'within a tenth: the network is quadratic only nearly' },
      measure: (runs) => {
        const rows = growthRows(runs.named(name));
        return rows.length < 8
          ? TOO_FEW
          : lineFitInterval(rows, { x: (row) => row.predicted, y: (row) => row.measured }).slope;
      },
    },
    {
      id: `few-steps-${name}`,
      says: `With η = ${learningRate} ‖H‖_{S_n} passes the edge a few steps after λ₁.`,
      where: 'Figure 23: 5 to 18 steps',
      how: 'steps from where λ₁ first exceeds the edge to where ias does',
      region: { high: 20, why: 'the paper counts 5 to 18' },
      measure: (runs) => {
        const at = passages(runs.named(name));
        if (at.lambda1 === null || at.ias === null) return NOT_PASSED;
        const value = at.ias - at.lambda1;
        return {
          value,
          low: value,
          high: value,
          method: 'one event: counted, without an error',
          size: 1,
          effectiveSize: 1,
        };
      },
    },
    orderClaim(name, 'cosine-first', `With η = ${learningRate} |cos(q₁, ∇L)| rises before ‖H‖_{S_n}.`, (run) => [
      cosine(run),
      ias(run),
    ]),
    orderClaim(name, 'gradient-last', `With η = ${learningRate} ‖H‖_{S_n} rises before |q₁ᵀ∇L|.`, (run) => [
      ias(run),
      gradient(run),
    ]),
  ];
}

function passageChart(run: MadeRun, title: string) {
  const eigenvalues = run.rows(topEigenvalues);
  const angles = run.rows(alignment);
  const edge = eigenvalues[0]?.edge ?? 1;
  const peak = Math.max(...angles.map((row) => row.abs_q1_gradient));
  const { lambda1 } = passages(run);
  return chart({
    title,
    description:
      'The sharpness passes the edge; then the cosine rises, the interaction-aware sharpness, and the gradient along q₁.',
    x: { title: 'step t' },
    y: { title: 'over the edge; cosine; over the largest', domain: [0, 2] },
    layers: [
      line({ name: 'λ₁η/2', rows: eigenvalues, x: 'step', y: (row) => row.lambda_1 / edge }),
      line({ name: '‖H‖_{S_n}η/2', rows: run.rows(interactionAwareSharpness), x: 'step', y: (row) => row.ias / edge }),
      line({ name: '|cos(q₁, ∇L)|', rows: angles, x: 'step', y: 'cos_q1_gradient' }),
      line({ name: '|q₁ᵀ∇L|', rows: angles, x: 'step', y: (row) => row.abs_q1_gradient / peak }),
      rule({ name: 'edge', y: 1 }),
      ...(lambda1 === null ? [] : [rule({ name: 'λ₁ passes', x: lambda1, color: '#888888' })]),
    ],
  });
}

export default figure<Preset>({
  name: '23',
  title: 'As λ₁ passes the edge, the gradient turns towards q₁ and grows along it',
  source: 'Lee and Jang (2023), Figure 23',
  about:
    'Gradient descent, step by step, around where λ₁ passes 2/η: |cos(q₁, ∇L)|, then ‖H‖_{S_n}, then |q₁ᵀ∇L| rise, ' +
    'the last by the factor ηλ₁ − 1 a step as on a quadratic.',
  presets,
  runs: ({ runs }, inputs) => runs.map((passage) => passageRun(passage, inputs)),
  claims: ({ runs }) => runs.flatMap(claimsOf),
  plot: (made, { runs }) =>
    panels([runs.map((passage) => passageChart(made.named(passage.name), `η = ${passage.learningRate}`))], {
      description: 'Figure 23: what rises after the sharpness passes the edge.',
    }),
  settings: ({ runs }) => [
    {
      name: 'seed',
      paper: null,
      here: `${runs[0]!.seed}`,
      why: 'at η = 0.2 and 0.25 λ₂ stays below the edge until ‖H‖_{S_n} has passed it, as Theorem 2 assumes; with seeds 0 and 3 it doesn’t',
    },
    ...networkSettings(runs[0]!.network, { model: 'ResNet-9 and others', loss: 'cross-entropy and MSE' }),
    {
      name: 'learning rate',
      paper: 'eight settings',
      here: runs.map(({ learningRate }) => learningRate).join(', '),
      why: 'the edge is met within some hundred steps',
    },
  ],
});
