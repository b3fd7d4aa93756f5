// Figure 1: before the edge the loss changes as its second order says, with SGD and with gradient descent.
import { figure, panels } from 'brink';
import { inRows } from './parts/inRows.ts';
import { changeChart, earlyRows, quadraticClaims, type Training, trainingRun } from './parts/lossChange.ts';
import { lossChangeSettings } from './parts/lossChangeSettings.ts';
import { tanhMlp } from './parts/networks.ts';

interface Preset {
  readonly trainings: readonly Training[];
}

const sgd: Training = {
  ...{ name: 'sgd-mse', label: 'SGD, MSE, b = 64', network: tanhMlp, learningRate: 0.2, batchSize: 64 },
  ...{ steps: 400, every: 3, draws: 4, deflate: 3, seed: 0 },
};
const sgdCe: Training = { ...sgd, name: 'sgd-ce', label: 'SGD, CE, b = 64', network: { ...tanhMlp, loss: 'ce' } };
const gd: Training = {
  ...{ ...sgd, name: 'gd-mse', label: 'gradient descent, MSE', batchSize: 1024 },
  ...{ steps: 300, every: 1, draws: 2, deflate: 0 },
};
const paper = (loss: 'ce' | 'mse', batchSize: number): Training => ({
  ...(batchSize === 8192 ? gd : sgd),
  name: `${batchSize === 8192 ? 'gd' : 'sgd'}-${loss}`,
  label: `${batchSize === 8192 ? 'gradient descent' : `SGD, b = ${batchSize}`}, ${loss.toUpperCase()}`,
  network: { model: 'cnn6', data: 'cifar-10', examples: 8192, loss },
  ...{ learningRate: 0.02, batchSize, steps: 2000, draws: 16, deflate: batchSize === 8192 ? 0 : 10 },
});
const small = { ...tanhMlp, examples: 128 };

const presets = {
  smoke: {
    trainings: [
      { ...sgd, network: small, steps: 60 },
      { ...gd, network: small, batchSize: 128, learningRate: 0.4, steps: 40 },
    ],
  },
  laptop: { trainings: [sgd, sgdCe, gd] },
  paper: { trainings: [paper('ce', 128), paper('mse', 128), paper('ce', 8192), paper('mse', 8192)] },
} satisfies Record<string, Preset>;

export default figure<Preset>({
  name: '1',
  title: 'Before the edge the loss changes as its second order says',
  source: 'Lee and Jang (2023), Figure 1',
  about:
    'The expected change of the loss over one step, over tr(S_n), against tr(HS_b)/tr(S_n), in the early phase: until ' +
    'the iterate enters the unstable region. A locally quadratic loss lies on the line of slope η²/2 through 2/η.',
  presets,
  runs: ({ trainings }, inputs) => trainings.map((training) => trainingRun(training, inputs)),
  claims: ({ trainings }) =>
    trainings.flatMap((training) => quadraticClaims(training, 'equations (7) and (12), Figure 1')),
  plot: (runs, { trainings }) =>
    panels(inRows(trainings.map((training) => changeChart(training, earlyRows(runs.named(training.name), training)))), {
      description: 'Figure 1: the change of the loss against tr(HS_b)/tr(S_n) before the edge.',
    }),
  settings: ({ trainings }) =>
    lossChangeSettings(trainings, {
      ...{ model: '6CNN', loss: 'cross-entropy and MSE', learningRate: '0.02', batchSize: null },
    }),
});
