// Figure 22: Theorem 2 on the paper's toy, where every number is known.
import {
  alignment,
  type Claim,
  chart,
  defineTable,
  type Estimate,
  figure,
  float64,
  gradientDescent,
  heat,
  int32,
  interactionAwareSharpness,
  line,
  type MadeRuns,
  panels,
  toParquet,
  topEigenvalues,
  toy,
} from 'brink';
import { map } from 'rxjs';

interface Preset {
  readonly learningRate: number;
  readonly start: readonly [number, number];
  readonly steps: number;
}

const papers: Preset = { learningRate: 2 / 32, start: [3, 0.1], steps: 60 };

/** Where the iterate is. */
const trajectory = defineTable({
  name: 'trajectory',
  description: 'The iterate of the toy, step by step.',
  key: ['step'],
  columns: {
    step: int32({ symbol: 't', description: 'Step.' }),
    theta_1: float64({ symbol: 'θ₁', description: 'Along the flat direction.' }),
    theta_2: float64({ symbol: 'θ₂', description: 'Along the sharp direction.' }),
  },
});

const RUN = 'toy';
/** L(θ) = θ₁² + 16αθ₂², α = 1.1. */
const loss = (x: number, y: number) => x ** 2 + 16 * 1.1 * y ** 2;

/** A number that has no error but float32's. */
const exact = (value: number, size: number): Estimate => {
  const error = 1e-4 * Math.abs(value);
  return {
    value,
    low: value - error,
    high: value + error,
    method: 'float32, 1e-4 relative',
    size,
    effectiveSize: size,
  };
};

/** The first step at which a value exceeds half of its last. */
function halfRise<R extends { readonly step: number }>(rows: readonly R[], value: (row: R) => number): number {
  const half = value(rows.at(-1)!) / 2;
  return rows.find((row) => value(row) > half)!.step;
}

/** d ln|value|/dt by the first and the last row of a window. */
function rate<R extends { readonly step: number }>(rows: readonly R[], value: (row: R) => number): number {
  const [first, last] = [rows[0]!, rows.at(-1)!];
  return Math.log(value(last) / value(first)) / (last.step - first.step);
}

function growth(runs: MadeRuns): { readonly rate: number; readonly predicted: number; readonly size: number } {
  const rows = runs.named(RUN).rows(alignment);
  const [eigenvalues] = runs.named(RUN).rows(topEigenvalues);
  const eta = 2 / eigenvalues!.edge;
  return {
    rate: rate(rows, (row) => row.abs_q1_gradient),
    predicted: Math.log(eta * eigenvalues!.lambda_1 - 1),
    size: rows.length,
  };
}

const claims: readonly Claim[] = [
  {
    id: 'growth',
    says: '|q₁ᵀ∇L| grows like e^{ct} with c = ln(ηλ₁ − 1).',
    where: 'Theorem 2, Figure 22 (right)',
    how: 'ln of the last abs_q1_gradient over the first, per step, over ln(η lambda_1 − 1)',
    region: { low: 0.999, high: 1.001, why: 'the loss is quadratic: only float32 parts the two' },
    measure: (runs) => {
      const { rate, predicted, size } = growth(runs);
      return exact(rate / predicted, size);
    },
  },
  {
    id: 'order-cosine-first',
    says: '|cos(q₁, ∇L)| rises before ‖H‖_{S_n}.',
    where: 'Figure 22 (right)',
    how: 'steps between where each first exceeds half of its last value',
    region: { low: 0.5, why: 'at least one step' },
    measure: (runs) => {
      const run = runs.named(RUN);
      const cosine = halfRise(run.rows(alignment), (row) => row.cos_q1_gradient);
      const rows = run.rows(interactionAwareSharpness);
      return exact(halfRise(rows, (row) => row.ias) - cosine, rows.length);
    },
  },
  {
    id: 'order-gradient-last',
    says: '‖H‖_{S_n} rises before |q₁ᵀ∇L|.',
    where: 'Figure 22 (right)',
    how: 'steps between where each first exceeds half of its last value',
    region: { low: 0.5, why: 'at least one step' },
    measure: (runs) => {
      const run = runs.named(RUN);
      const ias = halfRise(run.rows(interactionAwareSharpness), (row) => row.ias);
      const rows = run.rows(alignment);
      return exact(halfRise(rows, (row) => row.abs_q1_gradient) - ias, rows.length);
    },
  },
  {
    id: 'cosine-converges',
    says: '1 − |cos(q₁, ∇L)| falls at least as fast as e^{−2ct}.',
    where: 'Theorem 2',
    how: 'rate of ln(1 − cos_q1_gradient) over the rows where it is between 1e-1 and 1e-4, over −2 times the rate of abs_q1_gradient',
    region: { low: 1, why: 'O(e^{−2ct}) is a bound from above' },
    measure: (runs) => {
      const off = ({ cos_q1_gradient }: { cos_q1_gradient: number }) => 1 - cos_q1_gradient;
      const rows = runs
        .named(RUN)
        .rows(alignment)
        .filter((row) => off(row) < 0.1 && off(row) > 1e-4);
      return rows.length < 2
        ? 'fewer than two rows lie there'
        : exact(rate(rows, off) / (-2 * growth(runs).rate), rows.length);
    },
  },
];

/** How far the picture of the trajectory reaches. */
const REACH = { theta_1: 3.2, theta_2: 0.8 };

/** The toy's loss on a grid. */
const landscape = () => {
  const along = Array.from({ length: 41 }, (_, k) => (k - 20) / 20);
  return along.flatMap((u) =>
    along.map((v) => ({
      theta_1: u * REACH.theta_1,
      theta_2: v * REACH.theta_2,
      loss: loss(u * REACH.theta_1, v * REACH.theta_2),
    })),
  );
};

/** Every number over the largest of its column, so that their rises can be compared. */
function overPeak<R extends { readonly step: number }>(rows: readonly R[], value: (row: R) => number) {
  const peak = Math.max(...rows.map(value));
  return rows.map((row) => ({ step: row.step, value: value(row) / peak }));
}

export default figure<Preset>({
  name: '22',
  title: 'Theorem 2 on a quadratic: the gradient turns, then ‖H‖_{S_n} rises, then the gradient grows',
  source: 'Lee and Jang (2023), Figure 22',
  about:
    'Gradient descent on L(θ) = θ₁² + 16αθ₂², α = 1.1, with λ₁ = 35.2 above 2/η = 32. Left: the trajectory over the ' +
    'loss. Right: |cos(q₁, ∇L)|, ‖H‖_{S_n} and |q₁ᵀ∇L| over their largest values.',
  presets: { smoke: papers, laptop: papers, paper: papers },
  runs: ({ learningRate, start, steps }) => [
    {
      name: RUN,
      parameters: { learning_rate: learningRate },
      steps: () => gradientDescent(toy(), { learningRate, steps, initialWeights: start }),
      branches: {
        trajectory: (s) =>
          s.pipe(
            map(({ index, weights }) => ({ step: index, theta_1: weights[0]!, theta_2: weights[1]! })),
            toParquet(trajectory),
          ),
        alignment: (s) => s.pipe(alignment(), toParquet()),
        eigenvalues: (s) => s.pipe(topEigenvalues(), toParquet()),
        sharpness: (s) => s.pipe(interactionAwareSharpness(), toParquet()),
      },
    },
  ],
  claims: () => claims,
  plot: (runs) => {
    const run = runs.named(RUN);
    const inside = run.rows({ table: trajectory }).filter((row) => Math.abs(row.theta_2) < REACH.theta_2);
    const angles = run.rows(alignment);
    return panels(
      [
        [
          chart({
            title: 'trajectory',
            description: 'The iterate slides along the valley and jumps from side to side of it, further at each step.',
            x: { title: 'θ₁', domain: [-REACH.theta_1, REACH.theta_1] },
            y: { title: 'θ₂', domain: [-REACH.theta_2, REACH.theta_2] },
            layers: [
              heat({ name: 'L', rows: landscape(), x: 'theta_1', y: 'theta_2', value: 'loss' }),
              line({ ...{ name: 'θ_t', color: '#f0e442' }, rows: inside, x: 'theta_1', y: 'theta_2' }),
            ],
          }),
          chart({
            title: 'Theorem 2',
            description: 'Three rises in order: the cosine, the interaction-aware sharpness, the gradient along q₁.',
            x: { title: 'step t' },
            y: { title: 'over the largest value' },
            layers: [
              line({
                name: '|cos(q₁, ∇L)|',
                rows: overPeak(angles, (row) => row.cos_q1_gradient),
                x: 'step',
                y: 'value',
              }),
              line({
                name: '‖H‖_{S_n}',
                rows: overPeak(run.rows(interactionAwareSharpness), (row) => row.ias),
                ...{ x: 'step', y: 'value' },
              }),
              line({ name: '|q₁ᵀ∇L|', rows: overPeak(angles, (row) => row.abs_q1_gradient), x: 'step', y: 'value' }),
            ],
          }),
        ],
      ],
      { description: 'Figure 22: Theorem 2 on a quadratic of two dimensions.' },
    );
  },
  settings: ({ learningRate, start }) => [
    { name: 'loss', paper: 'θ₁² + 16αθ₂², α = 1.1', here: 'θ₁² + 16αθ₂², α = 1.1', why: 'as in the paper' },
    { name: 'learning rate', paper: '2/32', here: `${learningRate}`, why: 'as in the paper' },
    { name: 'start', paper: '(3, 0.1)', here: `(${start.join(', ')})`, why: 'as in the paper' },
  ],
});
