import { z } from 'zod';
import type { Dataset } from '../core/Dataset.ts';
import { chebyshev } from '../datasets/chebyshev.ts';
import type { CifarOptions } from '../datasets/cifar.ts';
import { cifar10 } from '../datasets/cifar10.ts';
import { cifar100 } from '../datasets/cifar100.ts';
import { type DigitsOptions, digits } from '../datasets/digits.ts';
import type { Loss } from '../engine/Loss.ts';
import type { Model } from '../engine/Model.ts';
import { crossEntropy } from '../losses/crossEntropy.ts';
import { meanSquaredError } from '../losses/meanSquaredError.ts';
import { type CnnOptions, cnn } from '../models/cnn.ts';
import { cnn6 } from '../models/cnn6.ts';
import { type MlpOptions, mlp } from '../models/mlp.ts';
import { type ResNet9Options, resnet9 } from '../models/resnet9.ts';
import { type WideResNetOptions, wideResnet } from '../models/wideResnet.ts';
import type { DATA_NAMES, LOSS_NAMES, MODEL_NAMES } from './ingredientNames.ts';

const number = z.number().exactOptional();
const flag = z.boolean().exactOptional();
const activation = z.enum(['tanh', 'gelu', 'relu']);
const subset = z.enum(['first', 'balanced']).exactOptional();

interface DataChoice {
  readonly options: z.ZodObject;
  open(options: object): Dataset | Promise<Dataset>;
}

interface ModelChoice {
  readonly options: z.ZodObject;
  /** The shapes at its two ends are those of the data. */
  open(options: object, data: Pick<Dataset, 'inputShape' | 'outputCount'>): Model;
}

const cifarOptions = z.strictObject({
  folder: z.string(),
  train: number,
  test: number,
  subset,
  normalize: z.enum(['channel', 'none']).exactOptional(),
});
type CifarChoice = CifarOptions & { readonly folder: string };

const data: Record<(typeof DATA_NAMES)[number], DataChoice> = {
  digits: {
    options: z.strictObject({ train: number, test: number, subset, center: flag }),
    open: (options: DigitsOptions) => digits(options),
  },
  cifar10: {
    options: cifarOptions,
    open: (options) => {
      const { folder, ...rest } = options as CifarChoice;
      return cifar10(folder, rest);
    },
  },
  cifar100: {
    options: cifarOptions,
    open: (options) => {
      const { folder, ...rest } = options as CifarChoice;
      return cifar100(folder, rest);
    },
  },
  chebyshev: { options: z.strictObject({}), open: () => chebyshev() },
};

const models: Record<(typeof MODEL_NAMES)[number], ModelChoice> = {
  mlp: {
    options: z.strictObject({
      hidden: z.array(z.number()).exactOptional(),
      activation: activation.exactOptional(),
      weightScale: number,
    }),
    open: (options: Partial<MlpOptions>, { inputShape, outputCount }) =>
      mlp({
        hidden: [32, 32, 32],
        activation: 'tanh',
        ...options,
        inputs: inputShape.reduce((a, b) => a * b, 1),
        outputs: outputCount,
      }),
  },
  cnn: {
    options: z.strictObject({
      channels: z.array(z.number()).exactOptional(),
      pooling: z.array(z.enum(['average', 'max'])).exactOptional(),
      activation: activation.exactOptional(),
      weightScale: number,
    }),
    open: (options: CnnOptions, { inputShape, outputCount }) => cnn({ ...options, inputShape, outputs: outputCount }),
  },
  cnn6: {
    options: z.strictObject({}),
    open: (_, { inputShape, outputCount }) => cnn6({ inputShape, outputs: outputCount }),
  },
  resnet9: {
    options: z.strictObject({ batchNorm: flag }),
    open: (options: ResNet9Options, { inputShape, outputCount }) =>
      resnet9({ ...options, inputShape, outputs: outputCount }),
  },
  wideResnet: {
    options: z.strictObject({
      depth: number,
      width: number,
      batchNorm: flag,
      activation: activation.exactOptional(),
    }),
    open: (options: WideResNetOptions, { inputShape, outputCount }) =>
      wideResnet({ ...options, inputShape, outputs: outputCount }),
  },
};

const losses: Record<(typeof LOSS_NAMES)[number], Loss> = { crossEntropy, meanSquaredError };

/** The data sets, models and losses that a command line can name. */
export const dataChoices: Readonly<Record<string, DataChoice>> = data;
export const modelChoices: Readonly<Record<string, ModelChoice>> = models;
export const lossChoices: Readonly<Record<string, Loss>> = losses;
