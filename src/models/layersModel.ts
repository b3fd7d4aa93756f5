import { createHash } from 'node:crypto';
import type { LayersModel, SymbolicTensor, Tensor } from '@tensorflow/tfjs';
import { BrinkError } from '../core/errors.ts';
import type { Model, Parameter } from '../engine/Model.ts';

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
 * normalise by the batch's own, write the network with `batchNorm`), and all that is not trainable, frozen layers
 * too, is a constant. θ_0 is the weights that the model carries now, whatever the seed: the initializers of tf.layers
 * are not drawn from ours. The model itself is never changed; its weights are stood in for while `forward` runs.
 * Classes want logits: with `crossEntropy` leave the last softmax out.
 *
 * That it is taken does not mean that every layer can be differentiated twice: `empiricalRisk` refuses an operation
 * that is not verified to second order by its name, and `verifyObjective` checks the whole.
 *
 * @param model Built, with one input of known shape and one output [B, outputCount]. Don't dispose of it while it is
 *   used here.
 * @param options `name` (the model's own).
 * @throws BrinkError where it has several inputs or outputs, an input of unknown size, outputs that are not one row
 *   an example, a layer that remembers its last batch, or no trainable weights.
 */
export function layersModel(model: LayersModel, { name = model.name }: LayersModelOptions = {}): Model {
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
  const variables = model.trainableWeights;
  if (variables.length === 0) refuse('has no trainable weights. Every layer is frozen; set trainable to true on one.');

  const parameters = variables.map(
    (variable): Parameter => ({
      name: variable.name,
      shape: variable.shape.map(Number),
      initializer: { distribution: 'given', values: variable.read().dataSync().slice() as Float32Array },
    }),
  );
  const hash = createHash('sha256');
  for (const weight of model.getWeights()) hash.update(weight.dataSync());

  return {
    name,
    config: { layersModel: JSON.parse(model.toJSON() as string), weightsSha256: hash.digest('hex') },
    inputShape: inputShape.map(Number),
    outputCount: Number(outputCount),
    parameters,
    coupled: false,
    forward(theta, inputs) {
      variables.forEach((variable, k) => {
        variable.read = () => theta[k]!;
      });
      try {
        return model.apply(inputs, { training: false }) as Tensor;
      } finally {
        // The class's own method comes to light again.
        for (const variable of variables) Reflect.deleteProperty(variable, 'read');
      }
    },
  };
}
