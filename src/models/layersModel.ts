import { createHash } from 'node:crypto';
import type { LayersModel, SymbolicTensor, Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { BrinkError, given } from '../core/errors.ts';
import { requireOptions, requireText } from '../core/given.ts';
import type { Model, Parameter } from '../engine/Model.ts';
import { readWeights } from '../engine/readWeights.ts';

/** The part of a network of tf.layers that its types leave out. */
interface Container {
  readonly layers: LayersModel['layers'];
  /** What the regularizers of its layers add to the loss. */
  calculateLosses(): Tensor[];
}

/** What to call it. */
export interface LayersModelOptions {
  /** In error messages and in the run's metadata; default the model's own name. */
  readonly name?: string;
}

const WHO = 'layersModel';

/**
 * Any network of tf.layers, sequential or functional, as a model of brink: f(θ, x), inputs [B, …inputShape] → outputs
 * [B, outputCount], θ the trainable weights in their order.
 *
 * It computes as `model.predict` does: dropout is inactive, batch normalisation uses its moving mean and variance (to
 * normalise by the batch's own, write the network with `batchNorm`), and all that is not trainable, frozen layers too,
 * is a constant. Constraints, which bring weights back after an update, are left out. A warning and the metadata
 * (`leftOut`) name the layers of which that is so. What regularizers add to the loss is added to every ℓ_i, as training
 * adds it to L. θ_0 is the weights that the model carries now, whatever the seed: the initializers of tf.layers are not
 * drawn from ours. The model itself is never changed; its weights are stood in for while `forward` runs. Classes want
 * logits: with `crossEntropy` leave the last softmax out.
 *
 * That it is taken does not mean that every layer can be differentiated twice: `empiricalRisk` refuses an operation
 * that is not verified to second order by its name, and `verifyObjective` checks the whole.
 *
 * @param model Built, with one input of known shape and one output [B, outputCount]. Don't dispose of it while it is
 *   used here.
 * @param options `name` (the model's own).
 * @throws BrinkError where it has several inputs or outputs, an input of unknown size, outputs that are not one row
 *   an example, a layer that remembers its last batch, or no trainable weights; where its weights lie on a GPU.
 */
export function layersModel(model: LayersModel, options: LayersModelOptions = {}): Model {
  if (typeof (model as Partial<LayersModel> | undefined)?.apply !== 'function' || !Array.isArray(model.inputs)) {
    const advice = 'It must be a network of tf.layers that is built: give its first layer an inputShape.';
    throw new BrinkError(WHO, `${given('the model', model)} ${advice}`);
  }
  requireOptions(WHO, options, ['name'], "{ name: 'mine' }");
  const { name = model.name } = options;
  requireText(WHO, 'name', name);
  const refuse = (what: string): never => {
    throw new BrinkError(WHO, `${name} ${what}`);
  };
  const shapeOf = (tensors: readonly SymbolicTensor[], what: string) => {
    if (tensors.length !== 1) {
      refuse(`has ${tensors.length} ${what}s. It must have one; join them, or write a forward function of your own.`);
    }
    return tensors[0]!.shape.slice(1);
  };
  const inputShape = shapeOf(model.inputs, 'input');
  const outputShape = shapeOf(model.outputs, 'output');
  if (inputShape.includes(null)) {
    refuse(
      `takes inputs of shape [${inputShape.map(String)}]. Every length must be known; give the first layer an inputShape.`,
    );
  }
  const [outputCount] = outputShape;
  if (outputShape.length !== 1 || outputCount == null) {
    refuse(
      `has outputs of shape [${outputShape.map(String)}] an example. They must be one row of known length; add a flatten or a dense layer.`,
    );
  }
  if (model.stateful) {
    refuse('is stateful: a layer remembers the batch before. f(θ, x) must not; build that layer with stateful: false.');
  }
  // A layer that is in the network and in one within it is listed twice.
  const variables = [...new Set(model.trainableWeights)];
  if (variables.length === 0) refuse('has no trainable weights. Every layer is frozen; set trainable to true on one.');

  const values = (weight: Tensor) => readWeights(WHO, name, weight) as Float32Array;
  const parameters = variables.map(
    (variable): Parameter => ({
      name: variable.name,
      shape: variable.shape.map(Number),
      initializer: { distribution: 'given', values: values(variable.read()).slice() as Float32Array },
    }),
  );
  const withWeights = <T>(theta: readonly Tensor[], body: () => T): T => {
    variables.forEach((variable, k) => {
      variable.read = () => theta[k]!;
    });
    try {
      return body();
    } finally {
      // The class's own method comes to light again.
      for (const variable of variables) Reflect.deleteProperty(variable, 'read');
    }
  };
  // A sequential network keeps what it trains within.
  const trained = ((model as { model?: LayersModel }).model ?? model) as LayersModel & Container;
  const missing = [...new Set(leftOut(model, values))];
  if (missing.length > 0) {
    process.emitWarning(`${WHO}: in ${name} ${missing.join('; ')}. The metadata says so too.`, 'BrinkWarning');
  }

  const hash = createHash('sha256');
  for (const weight of model.getWeights()) hash.update(values(weight));

  return {
    name,
    config: {
      layersModel: JSON.parse(model.toJSON() as string),
      weightsSha256: hash.digest('hex'),
      ...(missing.length > 0 && { leftOut: missing }),
    },
    inputShape: inputShape.map(Number),
    outputCount: Number(outputCount),
    parameters,
    forward: (theta, inputs) => withWeights(theta, () => model.apply(inputs, { training: false }) as Tensor),
    penalty: (theta) =>
      withWeights(theta, () => {
        const terms: readonly Tensor[] = trained.calculateLosses();
        return terms.length === 0 ? null : terms.reduce((sum, term) => tf.add(sum, term));
      }),
  };
}

/** A layer, or what its configuration holds: a layer that it wraps, a cell. */
interface Part {
  readonly className: string;
  readonly config: LeftOut;
}

/** What a part's configuration says of what is left out. */
interface LeftOut {
  readonly dropout?: number;
  readonly recurrentDropout?: number;
  readonly dilationRate?: number | number[];
}

/**
 * What a network does in training, or says that it does, and f(θ, x) does not: a sentence for each matter of a layer.
 */
function leftOut(net: Container, values: (weight: Tensor) => Float32Array): string[] {
  return net.layers.flatMap((layer) => {
    if ('layers' in layer) return leftOut(layer as unknown as Container, values);
    const own = layer.getClassName();
    return partsOf({ className: own, config: layer.getConfig() }).flatMap(({ className, config }) => {
      const { dropout = 0, recurrentDropout = 0, dilationRate = 1 } = config;
      const who = `${layer.name} (${className === own ? own : `${own} of ${className}`})`;
      const said: string[] = [];
      if (className === 'DepthwiseConv2D' && [dilationRate].flat().some((rate) => rate !== 1)) {
        said.push(`${who} has no dilations: TensorFlow.js passes over its dilationRate of ${dilationRate}`);
      }
      if (/Dropout|GaussianNoise/.test(className)) said.push(`${who} is inactive: L has no noise`);
      if (dropout > 0 || recurrentDropout > 0) said.push(`${who} has an inactive dropout: L has no noise`);
      const constraints = Object.entries(config).filter(([name, value]) => /Constraint$/.test(name) && value !== null);
      if (constraints.length > 0 && layer.trainableWeights.length > 0) {
        said.push(`${who} is trained without its ${constraints.map(([name]) => name).join(' and ')}`);
      }
      if (className === 'BatchNormalization') {
        const moving = layer.nonTrainableWeights.filter(({ name }) => name.includes('moving_'));
        const isUntrained = moving.every((weight) => {
          const start = weight.name.includes('moving_variance') ? 1 : 0;
          return values(weight.read()).every((value) => value === start);
        });
        said.push(
          `${who} normalises by its moving mean and variance, which are constants` +
            (isUntrained ? ' and untrained: mean 0 and variance 1, so it normalises nothing' : ''),
        );
      }
      return said;
    });
  });
}

/** A layer with all that it wraps, and its cells. */
function partsOf(part: Part): Part[] {
  const within = Object.values(part.config).flat().filter(isPart);
  return [part, ...within.flatMap(partsOf)];
}

const isPart = (value: unknown): value is Part =>
  typeof value === 'object' && value !== null && 'className' in value && 'config' in value;
