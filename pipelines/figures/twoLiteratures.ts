// Ours: one column for two literatures. η/η_opt is 1 at McCandlish's optimum and 2 at Lee and Jang's edge.
import {
  batchSharpness,
  blockInterval,
  type Claim,
  chart,
  type FigureInputs,
  figure,
  gradientDescent,
  interactionAwareSharpness,
  line,
  type MadeRun,
  type PlannedRun,
  panels,
  ratioOfSums,
  rule,
  throttleSteps,
  toParquet,
} from 'brink';
import { networkSettings, tanhMlp, trainingLossOf } from './parts/networks.ts';
import { lateRows, runOf, type Sgd } from './parts/regularisation.ts';

interface Preset {
  readonly sgd: Sgd;
  /** Sampled batches for the batch sharpness. */
  readonly batches: number;
}

const sgd: Sgd = {
  ...{ network: tanhMlp, learningRate: 0.2, batchSizes: [4, 16, 64, 256, 1024] },
  ...{ steps: 600, every: 15, deflate: 3, draws: 4, seed: 0 },
};
const cnn6 = { model: 'cnn6', data: 'cifar-10', examples: 8192, loss: 'ce' } as const;

const presets = {
  smoke: {
    sgd: { ...sgd, network: { ...tanhMlp, examples: 128 }, batchSizes: [8, 128], steps: 30, every: 5 },
    batches: 4,
  },
  laptop: { sgd, batches: 16 },
  paper: {
    sgd: {
      ...{ ...sgd, network: cnn6, learningRate: 0.02, batchSizes: [128, 512, 2048, 8192] },
      ...{ steps: 2000, every: 20, deflate: 10, draws: 16 },
    },
    batches: 32,
  },
} satisfies Record<string, Preset>;

const run = ({ sgd, batches }: Preset, b: number, inputs: FigureInputs): PlannedRun => ({
  name: runOf(b),
  parameters: { learning_rate: sgd.learningRate, batch_size: b },
  steps: async (seed) =>
    gradientDescent(await trainingLossOf(sgd.network, inputs), {
      ...{ learningRate: sgd.learningRate, batchSize: b, steps: sgd.steps },
      seed: sgd.seed + seed,
    }),
  branches: {
    sharpness: (s) =>
      s.pipe(
        throttleSteps(sgd.every),
        interactionAwareSharpness({ batchSizes: [b], deflate: sgd.deflate, draws: sgd.draws, tolerance: 0.01 }),
        toParquet(),
      ),
    batch_sharpness: (s) =>
      s.pipe(throttleSteps(sgd.every), batchSharpness({ batchSizes: [b], draws: batches }), toParquet()),
  },
  ...(sgd.network.examples >= 8192 && {
    checkpoint: { every: 50 },
    work: {
      gradients: (sgd.steps * b) / sgd.network.examples + (sgd.steps / sgd.every) * sgd.draws,
      products: (sgd.steps / sgd.every) * (sgd.draws + 2 * sgd.deflate + (3 * batches * b) / sgd.network.examples),
    },
  }),
});

/** η/η_opt = η tr(HS_b)/tr(S_n), as a ratio of sums over the second half of training. */
const overOptimum = (made: MadeRun) =>
  ratioOfSums(
    lateRows(made),
    (row) => (2 / row.edge) * row.trace_H_S_b,
    (row) => row.trace_S_n,
  );

/** The batch sharpness over 2/η, late in training, times 2: the same scale. */
function lateBatchSharpness(made: MadeRun) {
  const rows = made.rows(batchSharpness);
  const late = rows.slice(Math.floor(rows.length / 2));
  return blockInterval(
    late.map((row) => (2 * row.batch_sharpness) / row.edge),
    'mean',
  );
}

const claimsOf = ({ sgd }: Preset): Claim[] =>
  sgd.batchSizes.flatMap((b) => [
    {
      id: `edge-not-optimum-b${b}`,
      says: `With batches of ${b} training at a constant η ends at the edge, η/η_opt ≈ 2, not at the optimum of one step, η/η_opt = 1.`,
      where: 'equation (16) in the terms of McCandlish et al. (2018)',
      how: 'Σ η tr(HS_b)/Σ tr(S_n) over the rows of the second half of training',
      region: { low: 1.6, high: 2.5, why: 'a fifth to either side of 2, as a ratio: far from 1' },
      measure: (runs): ReturnType<Claim['measure']> => overOptimum(runs.named(runOf(b))),
    },
    {
      id: `batch-sharpness-b${b}`,
      says: `With batches of ${b} the batch sharpness settles at 2/η.`,
      where: 'Andreyev and Beneventano (2024)',
      how: 'mean of η batch_sharpness over the rows of the second half of training',
      region: { low: 1.6, high: 2.5, why: 'as above' },
      measure: (runs): ReturnType<Claim['measure']> => lateBatchSharpness(runs.named(runOf(b))),
    },
  ]);

export default figure<Preset>({
  name: 'twoLiteratures',
  title: 'One column for two literatures: η/η_opt is 1 at the optimum of a step and 2 at the edge',
  source: 'ours, of McCandlish et al. (2018), Lee and Jang (2023), Andreyev and Beneventano (2024)',
  about:
    'The learning rate that most lowers the expected loss after one step is η_opt(b) = tr(S_n)/tr(HS_b), half the edge. ' +
    'So η/η_opt = η tr(HS_b)/tr(S_n) is 1 at McCandlish’s optimum and 2 at the edge of Lee and Jang. Beside it η times the ' +
    'batch sharpness, which is 2 at the edge of Andreyev and Beneventano.',
  presets,
  runs: (preset, inputs) => preset.sgd.batchSizes.map((b) => run(preset, b, inputs)),
  claims: claimsOf,
  plot: (runs) => {
    const over = (of: (made: MadeRun) => { value: number; low: number; high: number }) =>
      runs.all.map((made) => ({ b: Number(made.parameters.batch_size), ...of(made) }));
    const axis = { x: 'b', y: 'value', low: 'low', high: 'high' } as const;
    return panels(
      [
        [
          chart({
            title: 'late in training',
            description: 'Both quantities over the batch size, near 2 for all but the smallest.',
            x: { title: 'batch size b', log: true },
            y: { title: 'η/η_{opt}; η × batch sharpness', domain: [0, 4] },
            layers: [
              line({ name: 'η tr(HS_b)/tr(S_n)', rows: over(overOptimum), ...axis }),
              line({ name: 'η × batch sharpness', rows: over(lateBatchSharpness), ...axis }),
              rule({ name: 'edge: 2', y: 2 }),
              rule({ name: 'optimum of one step: 1', y: 1, color: '#888888' }),
            ],
          }),
          chart({
            title: 'during training',
            description: 'η/η_opt over the steps, one line for each batch size: it rises from below 1 to the edge.',
            x: { title: 'step t' },
            y: { title: 'η tr(HS_b)/tr(S_n)', domain: [0, 4] },
            layers: [
              ...runs.all.map((made) =>
                line({
                  name: `b = ${made.parameters.batch_size}`,
                  rows: made.rows(interactionAwareSharpness),
                  x: 'step',
                  y: (row) => (2 * row.interaction) / row.edge,
                }),
              ),
              rule({ name: 'edge: 2', y: 2 }),
            ],
          }),
        ],
      ],
      { description: 'η/η_opt over the batch size and during training.' },
    );
  },
  settings: ({ sgd }) => networkSettings(sgd.network, { model: 'none: ours', loss: null }),
});
