import { z } from 'zod';
import type { Dataset } from '../core/Dataset.ts';
import type { JsonObject } from '../core/Json.ts';
import type { Model } from '../engine/Model.ts';
import { flag, number, type OptionsOf, type Shape } from './shape.ts';

/** The shapes at the two ends of a model. */
type Ends = Pick<Dataset, 'inputShape' | 'outputCount'>;

/** A model as those know it who find it by its name. */
export interface CataloguedModel {
  /** The names and types of its options, but for the shapes at its ends; their ranges are the model's own to check. */
  readonly options: z.ZodObject;
  /** The model between inputs and targets of a data set. @throws BrinkError for an option out of its range. */
  open(options: object, data: Ends): Promise<Model>;
  /** The model that has this config. */
  rebuild(config: JsonObject): Promise<Model>;
}

/** @param ends The options that the data decides. */
function entry<M extends (options: never) => Model, E extends Partial<OptionsOf<M>>>(
  load: () => Promise<M>,
  ends: (data: Ends) => E,
  shape: Shape<Omit<OptionsOf<M>, keyof E>>,
): CataloguedModel {
  const options = z.strictObject(shape);
  return {
    options,
    // The shape's type says that what it lets through are the model's other options.
    open: async (given, data) => (await load())({ ...options.parse(given), ...ends(data) } as never),
    // A model's config is its options.
    rebuild: async (config) => (await load())(config as never),
  };
}

const vectors = ({ inputShape, outputCount }: Ends) => ({
  inputs: inputShape.reduce((a, b) => a * b, 1),
  outputs: outputCount,
});
const images = ({ inputShape, outputCount }: Ends) => ({ inputShape, outputs: outputCount });

const numbers = z.array(z.number());
const activation = z.enum(['tanh', 'gelu', 'relu']);
const pooling = z.array(z.enum(['average', 'max']));

/** Every model by its name. A new one is enrolled by one entry; none is loaded before it is asked for. */
export const models: Readonly<Record<string, CataloguedModel>> = {
  mlp: entry(async () => (await import('../models/mlp.ts')).mlp, vectors, {
    hidden: numbers.default([32, 32, 32]),
    activation: activation.default('tanh'),
    weightScale: number,
  }),
  cnn: entry(async () => (await import('../models/cnn.ts')).cnn, images, {
    channels: numbers.exactOptional(),
    pooling: pooling.exactOptional(),
    activation: activation.exactOptional(),
    weightScale: number,
  }),
  cnn6: entry(async () => (await import('../models/cnn6.ts')).cnn6, images, {}),
  resnet9: entry(async () => (await import('../models/resnet9.ts')).resnet9, images, { batchNorm: flag }),
  wideResnet: entry(async () => (await import('../models/wideResnet.ts')).wideResnet, images, {
    depth: number,
    width: number,
    batchNorm: flag,
    activation: activation.exactOptional(),
  }),
};
