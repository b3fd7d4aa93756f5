// Figure 19: as Figure 2, with other data and batch sizes.
import { expectedLossChange, figure, panels } from 'brink';
import { inRows } from './parts/inRows.ts';
import { changeChart, gentlerClaim, type Training, trainingRun } from './parts/lossChange.ts';
import { lossChangeSettings } from './parts/lossChangeSettings.ts';
import { tanhCnn } from './parts/networks.ts';

interface Preset {
  readonly trainings: readonly Training[];
}

const sgd = (batchSize: number, learningRate: number): Training => ({
  ...{ name: `b${batchSize}-${learningRate}`, label: `b = ${batchSize}, η = ${learningRate}`, network: tanhCnn },
  ...{ learningRate, batchSize, steps: 600, every: 5, draws: 4, deflate: 3, seed: 0 },
});
const reluCnn = { model: 'relu-cnn', data: 'cifar-10', examples: 512, loss: 'ce' } as const;
const cnn6 = { model: 'cnn6', data: 'cifar-10', examples: 4096, loss: 'ce' } as const;

const presets = {
  smoke: { trainings: [{ ...sgd(16, 0.25), network: { ...tanhCnn, examples: 128 }, steps: 40 }] },
  laptop: { trainings: [sgd(128, 0.25), { ...sgd(512, 0.3), every: 1, deflate: 0, draws: 2, steps: 400 }] },
  // Cross-entropy on images.
  cifar: { trainings: [{ ...sgd(128, 0.04), network: reluCnn }] },
  paper: {
    trainings: [
      { ...sgd(128, 0.02), network: cnn6, steps: 2000, draws: 16, deflate: 10 },
      { ...sgd(512, 0.01), network: cnn6, steps: 4000, draws: 16, deflate: 10 },
    ],
  },
} satisfies Record<string, Preset>;

export default figure<Preset>({
  name: '19',
  title: 'Beyond the edge the loss rises less than its second order says, with other batch sizes',
  source: 'Lee and Jang (2023), Figure 19',
  about: 'As Figure 2, with two batch sizes and learning rates.',
  presets,
  runs: ({ trainings }, inputs) => trainings.map((training) => trainingRun(training, inputs)),
  claims: ({ trainings }) => trainings.map((training) => gentlerClaim(training, 'Section 4.2, Figure 19')),
  plot: (runs, { trainings }) =>
    panels(
      inRows(trainings.map((training) => changeChart(training, runs.named(training.name).rows(expectedLossChange)))),
      {
        description: 'Figure 19: the change of the loss against tr(HS_b)/tr(S_n) during the whole of training.',
      },
    ),
  settings: ({ trainings }) =>
    lossChangeSettings(trainings, {
      ...{ model: '6CNN', loss: 'cross-entropy', learningRate: '0.02 (STL-10-4k), 0.01 (CIFAR-100-4k)' },
      batchSize: '128 (STL-10-4k), 512 (CIFAR-100-4k)',
    }),
});
