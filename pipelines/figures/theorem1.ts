// Theorem 1: how often the next loss strays beyond the bounds, against e^{−x}.
import {
  binomialInterval,
  type Claim,
  chart,
  type Estimate,
  type FigureInputs,
  figure,
  gradientDescent,
  line,
  type MadeRun,
  panels,
  points,
  ratioOfSums,
  type TheoremOneRow,
  theoremOne,
  throttleSteps,
  toParquet,
} from 'brink';
import { type Network, networkSettings, tanhMlp, trainingLossOf } from './parts/networks.ts';

interface Preset {
  readonly network: Network;
  readonly learningRate: number;
  readonly batchSizes: readonly number[];
  readonly steps: number;
  readonly every: number;
  /** Next losses that are sampled at a step. */
  readonly losses: number;
}

const laptop: Preset = { network: tanhMlp, learningRate: 0.2, batchSizes: [8, 64], steps: 300, every: 20, losses: 200 };
const cnn6 = { model: 'cnn6', data: 'cifar-10', examples: 8192, loss: 'ce' } as const;

const presets = {
  smoke: { ...laptop, network: { ...tanhMlp, examples: 128 }, batchSizes: [8], steps: 20, every: 10, losses: 40 },
  laptop,
  paper: {
    ...laptop,
    network: cnn6,
    learningRate: 0.02,
    batchSizes: [128, 1024],
    steps: 2000,
    every: 100,
    losses: 1000,
  },
} satisfies Record<string, Preset>;

const runOf = (b: number) => `sgd-${b}`;
const X = [0.5, 1, 2, 3];

const ofX = (run: MadeRun, x: number) => run.rows(theoremOne).filter((row) => row.x === x);

/** The share of all sampled losses beyond a bound, over e^{−x}: at each step they are drawn anew. */
function share(run: MadeRun, x: number, side: 'share_above' | 'share_below'): Estimate {
  const rows = ofX(run, x);
  const sum = (of: (row: TheoremOneRow) => number) => rows.reduce((total, row) => total + of(row), 0);
  const estimate = binomialInterval(
    Math.round(sum((row) => row[side] * row.draws)),
    sum((row) => row.draws),
  );
  const allowed = Math.exp(-x);
  return {
    ...estimate,
    ...{ value: estimate.value / allowed, low: estimate.low / allowed, high: estimate.high / allowed },
  };
}

function claimsOf({ batchSizes }: Preset): Claim[] {
  return batchSizes.flatMap((b) => [
    ...X.flatMap((x) =>
      (['above', 'below'] as const).map(
        (side): Claim => ({
          id: `tail-${side}-b${b}-x${x}`,
          says: `With batches of ${b} the next loss lies ${side} the bound of x = ${x} at most in a share e^{−${x}} of cases.`,
          where: 'Theorem 1',
          how: `share of all sampled next losses, share_${side}, over e^{−x}`,
          region: { high: 1, why: 'the theorem bounds it from above' },
          measure: (runs) => share(runs.named(runOf(b)), x, `share_${side}`),
        }),
      ),
    ),
    {
      id: `spread-b${b}`,
      says: `With batches of ${b} the next loss spreads as Lemma 3 says.`,
      where: 'Lemma 3',
      how: 'Σ next_loss_std/Σ predicted_std over the steps',
      region: { low: 0.9, high: 1.1, why: 'within a tenth: gradients are not normal, and the loss is no quadratic' },
      measure: (runs) =>
        ratioOfSums(
          ofX(runs.named(runOf(b)), 1),
          (row) => row.next_loss_std,
          (row) => row.predicted_std,
        ),
    },
  ]);
}

/** Mean shares over the steps. */
function tails(rows: readonly TheoremOneRow[]) {
  return [...Map.groupBy(rows, ({ x }) => x)].map(([x, group]) => {
    const mean = (of: (row: TheoremOneRow) => number) => group.reduce((sum, row) => sum + of(row) / group.length, 0);
    return { x, above: mean((row) => row.share_above), below: mean((row) => row.share_below), allowed: Math.exp(-x) };
  });
}

export default figure<Preset>({
  name: 'theorem1',
  title: 'The next loss strays beyond the bounds of Theorem 1 no more often than e^{−x}',
  source: 'Lee and Jang (2023), Theorem 1; the picture is ours',
  about:
    'Shares of sampled next losses beyond the upper and the lower bound, over x, against e^{−x}; and the spread of the ' +
    'next loss beside that of Lemma 3. The bounds assume normal gradients and a quadratic loss; neither is quite so.',
  presets,
  runs: ({ network, learningRate, batchSizes, steps, every, losses }, inputs: FigureInputs) =>
    batchSizes.map((b) => ({
      name: runOf(b),
      parameters: { learning_rate: learningRate, batch_size: b },
      steps: async (seed) =>
        gradientDescent(await trainingLossOf(network, inputs), { learningRate, batchSize: b, steps, seed }),
      branches: {
        tails: (s) =>
          s.pipe(throttleSteps(every), theoremOne({ batchSizes: [b], tails: X, draws: losses }), toParquet()),
      },
      // A sampled next loss is the gradient of its batch and a forward pass; the searches take some thirty products.
      ...(network.examples >= 8192 && {
        checkpoint: { every: 50 },
        work: {
          gradients: (steps * b) / network.examples + (steps / every) * (losses * (b / network.examples + 1 / 3) + 40),
          products: (steps / every) * 50,
        },
      }),
    })),
  claims: claimsOf,
  plot: (runs) =>
    panels(
      [
        runs.all.map((run) =>
          chart({
            title: `b = ${run.parameters.batch_size}`,
            description: 'The shares beyond the bounds lie below e^{−x} at every x.',
            x: { title: 'x' },
            y: { title: 'share of next losses', log: true, domain: [1e-4, 1] },
            layers: [
              points({ name: 'above the upper bound', rows: tails(run.rows(theoremOne)), x: 'x', y: 'above' }),
              points({ name: 'below the lower bound', rows: tails(run.rows(theoremOne)), x: 'x', y: 'below' }),
              line({ name: 'e^{−x}', rows: tails(run.rows(theoremOne)), x: 'x', y: 'allowed', dashed: true }),
            ],
          }),
        ),
        runs.all.map((run) =>
          chart({
            title: 'spread of the next loss',
            description: 'The standard deviation of the sampled next losses and that of Lemma 3, over the steps.',
            x: { title: 'step t' },
            y: { title: 'std[L_{t+1}]', log: true },
            layers: [
              points({ name: 'sampled', rows: ofX(run, 1), x: 'step', y: 'next_loss_std' }),
              line({ name: 'Lemma 3', rows: ofX(run, 1), x: 'step', y: 'predicted_std' }),
            ],
          }),
        ),
      ],
      { description: 'Theorem 1: the tails of the next loss.' },
    ),
  settings: ({ network, learningRate, losses }) => [
    ...networkSettings(network, { model: 'none: a theorem', loss: null }),
    { name: 'learning rate', paper: null, here: `${learningRate}`, why: 'as in the other figures' },
    { name: 'sampled next losses', paper: null, here: `${losses} a step`, why: 'shares down to e^{−3}' },
  ],
});
