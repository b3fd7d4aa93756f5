// Figure 10: as Figure 1, with another network and two learning rates.
import { figure, panels } from 'brink';
import { inRows } from './parts/inRows.ts';
import { changeChart, earlyRows, quadraticClaims, type Training, trainingRun } from './parts/lossChange.ts';
import { lossChangeSettings } from './parts/lossChangeSettings.ts';
import { tanhCnn } from './parts/networks.ts';

interface Preset {
  readonly trainings: readonly Training[];
}

const gd = (learningRate: number, steps: number): Training => ({
  ...{ name: `gd-${learningRate}`, label: `gradient descent, η = ${learningRate}`, network: tanhCnn },
  ...{ learningRate, batchSize: 512, steps, every: 1, draws: 2, deflate: 0, seed: 0 },
});
const sgd = (learningRate: number, steps: number): Training => ({
  ...{ ...gd(learningRate, steps), name: `sgd-${learningRate}`, label: `SGD, b = 64, η = ${learningRate}` },
  ...{ batchSize: 64, every: 4, draws: 8, deflate: 6 },
});
const small = { ...tanhCnn, examples: 128 };
const resnet9 = { model: 'resnet9', data: 'cifar-10', examples: 8192, loss: 'mse' } as const;

const presets = {
  smoke: { trainings: [{ ...gd(0.25, 40), network: small, batchSize: 128 }] },
  laptop: { trainings: [sgd(0.2, 400), sgd(0.25, 400), gd(0.2, 500), gd(0.25, 400)] },
  paper: {
    trainings: [
      { ...sgd(0.02, 2000), network: resnet9, batchSize: 128, draws: 16, deflate: 10 },
      { ...sgd(0.04, 1000), network: resnet9, batchSize: 128, draws: 16, deflate: 10 },
      { ...gd(0.02, 2000), network: resnet9, batchSize: 8192 },
      { ...gd(0.04, 1000), network: resnet9, batchSize: 8192 },
    ],
  },
} satisfies Record<string, Preset>;

export default figure<Preset>({
  name: '10',
  title: 'Before the edge the loss of a convolutional network changes as its second order says',
  source: 'Lee and Jang (2023), Figure 10',
  about: 'As Figure 1, for a convolutional network with MSE and two learning rates.',
  presets,
  runs: ({ trainings }, inputs) => trainings.map((training) => trainingRun(training, inputs)),
  claims: ({ trainings }) =>
    trainings.flatMap((training) => quadraticClaims(training, 'equations (7) and (12), Figure 10')),
  plot: (runs, { trainings }) => {
    const charts = trainings.map((t) => changeChart(t, earlyRows(runs.named(t.name), t)));
    return panels(inRows(charts), {
      description: 'Figure 10: the change of the loss against tr(HS_b)/tr(S_n) before the edge.',
    });
  },
  settings: ({ trainings }) =>
    lossChangeSettings(trainings, {
      ...{ model: 'ResNet-9', loss: 'MSE', learningRate: '0.02, 0.04', batchSize: null },
    }),
});
