// Figure 31: with SGD tr(HS_b)/tr(S_n) is held around 2/η, for every batch size.
import { chart, figure, line, panels, rule } from 'brink';
import { networkSettings, tanhMlp } from './parts/networks.ts';
import { byBatchSize, interactionAtEdge, overBatchSizes, type Sgd, sgdRuns } from './parts/regularisation.ts';

interface Preset {
  readonly sgd: Sgd;
}

const sgd: Sgd = {
  ...{ network: { ...tanhMlp, loss: 'ce' }, learningRate: 0.2, batchSizes: [8, 16, 32, 64, 128, 256] },
  ...{ steps: 500, every: 5, deflate: 3, draws: 4, seed: 0 },
};
const resnet9 = { model: 'resnet9', data: 'cifar-10', examples: 8192, loss: 'ce' } as const;

const presets = {
  smoke: { sgd: { ...sgd, network: { ...tanhMlp, examples: 128, loss: 'ce' }, batchSizes: [8, 32], steps: 40 } },
  laptop: { sgd },
  paper: {
    sgd: {
      ...{ ...sgd, network: resnet9, learningRate: 0.08, batchSizes: [128, 256, 512, 1024, 2048, 4096] },
      ...{ steps: 2000, deflate: 10, draws: 16 },
    },
  },
} satisfies Record<string, Preset>;

export default figure<Preset>({
  name: '31',
  title: 'With SGD tr(HS_b)/tr(S_n) is held around 2/η',
  source: 'Lee and Jang (2023), Figure 31',
  about:
    'The same as Figure 4(c, d), with the bound that is one for all batch sizes: tr(HS_b)/tr(S_n) against 2/η. With ' +
    'cross-entropy on the digits small batches stay above it.',
  presets,
  runs: ({ sgd }, inputs) => sgdRuns(sgd, inputs),
  claims: ({ sgd }) => sgd.batchSizes.map((b) => interactionAtEdge(b, 'Section 4.3, Figure 31')),
  plot: (runs, { sgd }) => {
    const edge = 2 / sgd.learningRate;
    return panels(
      [
        [
          byBatchSize(runs.all, {
            ...{ title: 'SGD', quantity: 'tr(HS_b)/tr(S_n)', edge },
            value: (row) => row.interaction,
          }),
          chart({
            title: 'late in training',
            description: 'The median of tr(HS_b)/tr(S_n) over the batch size, beside 2/η.',
            x: { title: 'batch size b', log: true },
            y: { title: 'median, second half' },
            layers: [
              line({
                ...{ name: 'tr(HS_b)/tr(S_n)', rows: overBatchSizes(runs.all, (row) => row.interaction) },
                ...{ x: 'b', y: 'value', low: 'low', high: 'high' },
              }),
              rule({ name: '2/η', y: edge }),
            ],
          }),
        ],
      ],
      { description: 'Figure 31: tr(HS_b)/tr(S_n) of SGD with several batch sizes.' },
    );
  },
  settings: ({ sgd }) => [
    ...networkSettings(sgd.network, { model: 'ResNet-9', loss: 'cross-entropy' }),
    {
      name: 'learning rate',
      paper: '0.08',
      here: `${sgd.learningRate}`,
      why: 'the edge is met within some hundred steps',
    },
    { name: 'batch sizes', paper: '2⁷ … 2¹²', here: sgd.batchSizes.join(', '), why: 'up to a quarter of the examples' },
  ],
});
