// Figures 35 and 36: the concentration of the batch gradient at some moments of training.
import {
  type FigureInputs,
  gradientConcentration,
  gradientDescent,
  type PlannedRun,
  resultantLength,
  throttleSteps,
  toParquet,
} from 'brink';
import { type Network, trainingLossOf } from './networks.ts';

/** Training whose gradients are looked at now and then. */
export interface Moments {
  /** The run's name. */
  readonly name: string;
  readonly network: Network;
  readonly learningRate: number;
  /** b of training. */
  readonly batchSize: number;
  readonly steps: number;
  /** Between two moments. */
  readonly every: number;
  /** The batch sizes that are asked about. */
  readonly batchSizes: readonly number[];
  /** Sampled batches for R̄²_b and the spread of ‖g_ξ‖. */
  readonly draws: number;
  readonly seed: number;
}

export function momentsRun(moments: Moments, inputs: FigureInputs): PlannedRun {
  const { name, network, learningRate, batchSize, steps, every, batchSizes, draws } = moments;
  return {
    name,
    parameters: { learning_rate: learningRate, batch_size: batchSize, loss: network.loss },
    steps: async (seed) =>
      gradientDescent(await trainingLossOf(network, inputs), {
        ...{ learningRate, batchSize, steps },
        seed: moments.seed + seed,
      }),
    branches: {
      without: (s) => s.pipe(throttleSteps(every), gradientConcentration({ batchSizes }), toParquet()),
      with: (s) => s.pipe(throttleSteps(every), gradientConcentration({ batchSizes, replacement: true }), toParquet()),
      directions: (s) => s.pipe(throttleSteps(every), resultantLength({ batchSizes, draws }), toParquet()),
    },
    ...(network.examples >= 8192 && {
      checkpoint: { every: 50 },
      work: {
        gradients:
          (steps * batchSize) / network.examples +
          (steps / every) * draws * (batchSizes.reduce((sum, b) => sum + b, 0) / network.examples),
        products: 0,
      },
    }),
  };
}
