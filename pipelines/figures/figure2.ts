// Figure 2: beyond the edge the loss rises less than its second order says: the valley is not quadratic.
import { expectedLossChange, figure, panels } from 'brink';
import { inRows } from './parts/inRows.ts';
import { changeChart, gentlerClaim, type Training, trainingRun } from './parts/lossChange.ts';
import { lossChangeSettings } from './parts/lossChangeSettings.ts';
import { tanhMlp } from './parts/networks.ts';

interface Preset {
  readonly trainings: readonly Training[];
}

const gd = (learningRate: number, steps: number): Training => ({
  ...{ name: `gd-${learningRate}`, label: `gradient descent, MSE, η = ${learningRate}`, network: tanhMlp },
  ...{ learningRate, batchSize: 1024, steps, every: 1, draws: 2, deflate: 0, seed: 0 },
});
const sgd: Training = {
  ...{ ...gd(0.2, 600), name: 'sgd', label: 'SGD, MSE, b = 64, η = 0.2', batchSize: 64 },
  ...{ every: 5, draws: 4, deflate: 3 },
};
const cnn = { model: 'relu-cnn', data: 'cifar-10', examples: 512, loss: 'ce' } as const;
const cnn6 = { model: 'cnn6', data: 'cifar-10', examples: 8192, loss: 'ce' } as const;
const small = { ...tanhMlp, examples: 128 };

const presets = {
  smoke: { trainings: [{ ...gd(0.4, 40), network: small, batchSize: 128 }] },
  laptop: { trainings: [gd(0.2, 500), gd(0.3, 400), gd(0.4, 300), sgd] },
  // Cross-entropy on images, where SGD shows it too.
  cifar: {
    trainings: [{ ...sgd, name: 'sgd-0.1', label: 'SGD, CE, b = 64, η = 0.1', network: cnn, learningRate: 0.1 }],
  },
  paper: {
    trainings: [
      { ...gd(0.02, 2000), network: cnn6, batchSize: 8192, label: 'gradient descent, CE' },
      {
        ...sgd,
        network: cnn6,
        batchSize: 128,
        learningRate: 0.02,
        steps: 2000,
        draws: 16,
        deflate: 10,
        label: 'SGD, CE',
      },
    ],
  },
} satisfies Record<string, Preset>;

export default figure<Preset>({
  name: '2',
  title: 'Beyond the edge the loss rises less than its second order says',
  source: 'Lee and Jang (2023), Figure 2',
  about:
    'As Figure 1, during the whole of training. Beyond 2/η the change of the loss is often smaller than the line of ' +
    'slope η²/2: the third order matters. Not every network shows it: SGD on this one stays on the line.',
  presets,
  runs: ({ trainings }, inputs) => trainings.map((training) => trainingRun(training, inputs)),
  claims: ({ trainings }) => trainings.map((training) => gentlerClaim(training, 'Section 4.2, Figure 2')),
  plot: (runs, { trainings }) =>
    panels(
      inRows(trainings.map((training) => changeChart(training, runs.named(training.name).rows(expectedLossChange)))),
      {
        description: 'Figure 2: the change of the loss against tr(HS_b)/tr(S_n) during the whole of training.',
      },
    ),
  settings: ({ trainings }) =>
    lossChangeSettings(trainings, {
      ...{ model: '6CNN', loss: 'cross-entropy and MSE', learningRate: '0.02', batchSize: null },
    }),
});
