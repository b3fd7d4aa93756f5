// Figure 6: as Figure 1, with half its learning rate.
import { figure, panels } from 'brink';
import { inRows } from './parts/inRows.ts';
import { changeChart, earlyRows, quadraticClaims, type Training, trainingRun } from './parts/lossChange.ts';
import { lossChangeSettings } from './parts/lossChangeSettings.ts';
import { tanhMlp } from './parts/networks.ts';

interface Preset {
  readonly trainings: readonly Training[];
}

const sgd: Training = {
  ...{ name: 'sgd-mse', label: 'SGD, MSE, b = 64', network: tanhMlp, learningRate: 0.15, batchSize: 64 },
  ...{ steps: 600, every: 5, draws: 4, deflate: 3, seed: 0 },
};
const gd: Training = {
  ...{ ...sgd, name: 'gd-mse', label: 'gradient descent, MSE', batchSize: 1024 },
  ...{ steps: 600, every: 1, draws: 2, deflate: 0 },
};
const small = { ...tanhMlp, examples: 128 };
const cnn6 = { model: 'cnn6', data: 'cifar-10', examples: 8192, loss: 'ce' } as const;

const presets = {
  smoke: { trainings: [{ ...gd, network: small, batchSize: 128, learningRate: 0.4, steps: 40 }] },
  laptop: { trainings: [sgd, gd] },
  paper: {
    trainings: [
      { ...sgd, network: cnn6, learningRate: 0.01, batchSize: 128, steps: 4000, draws: 16, deflate: 10 },
      { ...gd, network: cnn6, learningRate: 0.01, batchSize: 8192, steps: 4000 },
    ],
  },
} satisfies Record<string, Preset>;

export default figure<Preset>({
  name: '6',
  title: 'Before the edge the loss changes as its second order says, with a smaller learning rate',
  source: 'Lee and Jang (2023), Figure 6',
  about: 'As Figure 1, with a smaller learning rate: the edge lies higher, and is met later.',
  presets,
  runs: ({ trainings }, inputs) => trainings.map((training) => trainingRun(training, inputs)),
  claims: ({ trainings }) =>
    trainings.flatMap((training) => quadraticClaims(training, 'equations (7) and (12), Figure 6')),
  plot: (runs, { trainings }) =>
    panels(inRows(trainings.map((training) => changeChart(training, earlyRows(runs.named(training.name), training)))), {
      description: 'Figure 6: the change of the loss against tr(HS_b)/tr(S_n) before the edge.',
    }),
  settings: ({ trainings }) =>
    lossChangeSettings(trainings, {
      ...{ model: '6CNN', loss: 'cross-entropy and MSE', learningRate: '0.01', batchSize: null },
    }),
});
