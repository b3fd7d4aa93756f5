// Figure 33: as Figure 4(c, d), with another network.
import { figure, panels } from 'brink';
import { networkSettings, tanhCnn } from './parts/networks.ts';
import { byBatchSize, hoversAtBound, type Sgd, sgdRuns } from './parts/regularisation.ts';

interface Preset {
  readonly sgd: Sgd;
}

const sgd: Sgd = {
  ...{ network: tanhCnn, learningRate: 0.25, batchSizes: [8, 32, 128, 512] },
  ...{ steps: 500, every: 5, deflate: 3, draws: 4, seed: 0 },
};
const wrn = { model: 'wrn-28-2', data: 'cifar-10', examples: 8192, loss: 'mse' } as const;

const presets = {
  smoke: { sgd: { ...sgd, network: { ...tanhCnn, examples: 128 }, batchSizes: [16, 128], steps: 30 } },
  laptop: { sgd },
  paper: {
    sgd: {
      ...{ ...sgd, network: wrn, learningRate: 0.01, batchSizes: [128, 256, 512, 1024, 2048, 4096] },
      ...{ steps: 2000, deflate: 10, draws: 16 },
    },
  },
} satisfies Record<string, Preset>;

export default figure<Preset>({
  name: '33',
  title: 'A convolutional network with SGD: ‖H‖_{S_b} is held around 2ρ_b/η',
  source: 'Lee and Jang (2023), Figure 33',
  about: 'As Figure 4(c, d), for a convolutional network with MSE.',
  presets,
  runs: ({ sgd }, inputs) => sgdRuns(sgd, inputs),
  claims: ({ sgd }) => sgd.batchSizes.map((b) => hoversAtBound(b, 'Section 4.3, Figure 33')),
  plot: (runs, { sgd }) => {
    const edge = 2 / sgd.learningRate;
    return panels(
      [
        [
          byBatchSize(runs.all, { title: 'SGD', quantity: '‖H‖_{S_b}', value: (row) => row.ias, edge }),
          byBatchSize(runs.all, { title: 'SGD', quantity: '‖H‖_{S_b}/ρ_b', value: (row) => row.ias / row.rho, edge }),
        ],
      ],
      { description: 'Figure 33: the interaction-aware sharpness of SGD with several batch sizes.' },
    );
  },
  settings: ({ sgd }) => [
    ...networkSettings(sgd.network, { model: 'WRN-28-2', loss: 'MSE' }),
    {
      name: 'learning rate',
      paper: '0.01',
      here: `${sgd.learningRate}`,
      why: 'the edge is met within some hundred steps',
    },
    {
      name: 'batch sizes',
      paper: null,
      here: sgd.batchSizes.join(', '),
      why: 'from where ρ_b is small to where it is 1',
    },
  ],
});
