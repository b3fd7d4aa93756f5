// The networks that the figures train, and what is the same for all figures of one network.
import {
  cifar10,
  cnn,
  cnn6,
  crossEntropy,
  digits,
  empiricalRisk,
  type FigureInputs,
  meanSquaredError,
  mlp,
  type Objective,
  resnet9,
  type Setting,
  wideResnet,
} from 'brink';

/** What a preset says of the network that is trained: names and numbers alone, so that a figure's record holds them. */
export interface Network {
  readonly model: keyof typeof MODELS;
  readonly data: 'digits' | 'cifar-10';
  /** n. */
  readonly examples: number;
  /** Test examples; default none, of CIFAR-10 those of its own. */
  readonly tests?: number;
  readonly loss: 'mse' | 'ce';
}

/** A tanh network whose training reaches the edge within seconds: 64-32-32-32-10, 4,522 parameters. */
export const tanhMlp: Network = { model: 'mlp', data: 'digits', examples: 1024, loss: 'mse' };

/** A small convolutional tanh network on the digits as 8 × 8 images: 1,898 parameters. */
export const tanhCnn: Network = { model: 'cnn', data: 'digits', examples: 512, loss: 'mse' };

const MODELS = {
  mlp: () => mlp({ inputs: 64, hidden: [32, 32, 32], outputs: 10, activation: 'tanh', weightScale: 0.8 }),
  // Its best learning rates follow LSSR; those of the tanh network are a flat ridge.
  'relu-mlp': () => mlp({ inputs: 64, hidden: [32, 32], outputs: 10, activation: 'relu', weightScale: 1.4 }),
  cnn: () => cnn({ inputShape: [8, 8, 1], activation: 'tanh', pooling: ['average', 'average'], weightScale: 1 }),
  // [8, 16] channels, average and max pooling: as brink has it where nothing else is said.
  'relu-cnn': () => cnn(),
  cnn6: () => cnn6(),
  resnet9: () => resnet9({ batchNorm: false }),
  'resnet9-bn': () => resnet9(),
  'wrn-28-2': () => wideResnet({ width: 2, batchNorm: false }),
  'wrn-28-2-bn': () => wideResnet({ width: 2 }),
};

/** The loss that was put together last: the runs of a figure mostly share one. */
let last: { readonly key: string; readonly objective: Promise<Objective> } | null = null;

/** The training loss of a network. */
export function trainingLossOf(network: Network, { data }: FigureInputs): Promise<Objective> {
  const key = JSON.stringify([network, data]);
  if (last?.key !== key) last = { key, objective: openTrainingLoss(network, data) };
  return last.objective;
}

async function openTrainingLoss(
  { model, data, examples, tests, loss }: Network,
  path: string | null,
): Promise<Objective> {
  return empiricalRisk({
    model: MODELS[model](),
    data: await (data === 'digits'
      ? digits({ train: examples, ...(tests !== undefined && { test: tests }) })
      : // The official folder, or one file in its layout.
        cifar10(path?.endsWith('.bin') ? { trainFiles: [path] } : (path ?? 'data/cifar-10'), {
          train: examples,
          subset: 'balanced',
        })),
    loss: loss === 'mse' ? meanSquaredError : crossEntropy,
  });
}

const NAMES = {
  mlp: 'fully connected, tanh, 64-32-32-32-10 (m = 4,522)',
  'relu-mlp': 'fully connected, relu, 64-32-32-10 (m = 3,466)',
  cnn: 'two convolutions, tanh (m = 1,898)',
  'relu-cnn': 'two convolutions, relu (m = 11,642)',
  cnn6: '6CNN (m = 512,118)',
  resnet9: 'ResNet-9 without batch normalisation (m = 2,272,192)',
  'resnet9-bn': 'ResNet-9 (m = 2,274,880)',
  'wrn-28-2': 'WRN-28-2 without batch normalisation',
  'wrn-28-2-bn': 'WRN-28-2 (m = 1,467,610)',
};
const DATA = { digits: 'digits, 8 × 8', 'cifar-10': 'CIFAR-10' };
const LOSSES = { mse: 'mean squared error, ½ Σ over classes', ce: 'cross-entropy' };

const PAPERS_DATA = 'CIFAR-10-8k (n = 8192)';
const asIn = (name: string, paper: string): Setting => ({ name, paper, here: paper, why: 'as in the paper' });

/** The rows of the settings that every network has. */
export function networkSettings(network: Network, paper: { model: string; loss: string | null }): Setting[] {
  const isPapers = network.data === 'cifar-10' && network.examples === 8192;
  const small = 'an exact product takes milliseconds, so that every step can be measured on a laptop';
  return [
    isPapers
      ? asIn('model', paper.model)
      : { name: 'model', paper: paper.model, here: NAMES[network.model], why: small },
    isPapers
      ? asIn('data', PAPERS_DATA)
      : {
          name: 'data',
          paper: PAPERS_DATA,
          here: `${DATA[network.data]} (n = ${network.examples})`,
          why: network.data === 'digits' ? 'real images that come with brink' : 'as many as two cores can measure',
        },
    {
      name: 'loss',
      paper: paper.loss,
      here: LOSSES[network.loss],
      why: network.loss === 'mse' ? 'with cross-entropy the digits never reach the edge' : 'as in the paper',
    },
    {
      name: 'initialisation',
      paper: null,
      here: ['cnn6', 'resnet9', 'resnet9-bn'].includes(network.model)
        ? 'W uniform on ±√(3/fan_{in}), biases 0'
        : 'W ~ N(0, s²/fan_{in}), biases 0',
      why: 'the usual one',
    },
    {
      name: 'normalisation',
      paper: null,
      here: network.data === 'digits' ? 'mean subtracted' : 'each channel less its mean, over its standard deviation',
      why: network.data === 'digits' ? 'as the edge-of-stability literature does' : 'the usual one',
    },
  ];
}
