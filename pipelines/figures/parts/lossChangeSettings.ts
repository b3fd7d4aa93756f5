import type { Setting } from 'brink';
import type { Training } from './lossChange.ts';
import { networkSettings } from './networks.ts';

/** The settings of a figure of the change of the loss. */
export function lossChangeSettings(
  trainings: readonly Training[],
  paper: {
    readonly model: string;
    readonly loss: string;
    readonly learningRate: string;
    readonly batchSize: string | null;
  },
): Setting[] {
  const list = (of: (training: Training) => string | number) => [...new Set(trainings.map(of))].join(', ');
  return [
    ...networkSettings(trainings[0]!.network, paper),
    {
      name: 'learning rate',
      paper: paper.learningRate,
      here: list(({ learningRate }) => learningRate),
      why: 'the edge is met within some hundred steps',
    },
    {
      name: 'batch size',
      paper: paper.batchSize,
      here: list(({ batchSize }) => batchSize),
      why: 'SGD with some noise, and all examples for gradient descent',
    },
    {
      name: 'draws K a row',
      paper: null,
      here: list(({ draws }) => draws),
      why: 'only what second order misses is sampled, see expectedLossChange',
    },
  ];
}
