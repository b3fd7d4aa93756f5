import type { Tensor } from '@tensorflow/tfjs';
import type { JsonObject } from '../core/Json.ts';
import type { Model, Parameter } from '../engine/Model.ts';

/** One layer, built for the shape of one example that arrives at it. */
export interface Layer {
  /** The layer's part of its parameters' names: 'dense', 'conv'. */
  readonly kind: string;
  readonly parameters: readonly Parameter[];
  /** Shape of one example that leaves. */
  readonly outputShape: readonly number[];
  forward(parameters: readonly Tensor[], inputs: Tensor): Tensor;
}

/** What a network is written with: a layer that learns the shape of its inputs from the layers before it. */
export type LayerOf = (inputShape: readonly number[]) => Layer;

/** What a sequential network consists of. */
export interface SequentialOptions {
  readonly name: string;
  /** The arguments that rebuild it, for the run's metadata. */
  readonly config: JsonObject;
  /** Shape of one example. */
  readonly inputShape: readonly number[];
  /** From the inputs to the outputs; the last one gives a flat vector. */
  readonly layers: readonly LayerOf[];
}

/**
 * The network f(θ, x) = f_K(… f_2(f_1(x))), one layer after the other.
 *
 * Parameters are named after their layer and its number among its kind, 'conv2/kernel', and lie in θ in the order of the layers.
 *
 * @param options `name`, `config`, `inputShape`, `layers`.
 */
export function sequential({ name, config, inputShape, layers }: SequentialOptions): Model {
  const built: Layer[] = [];
  for (const layerOf of layers) built.push(layerOf(built.at(-1)?.outputShape ?? inputShape));

  const parameters = built.flatMap((layer, position) => {
    const alike = built.filter(({ kind }) => kind === layer.kind);
    const number =
      alike.length === 1 ? '' : built.slice(0, position + 1).filter(({ kind }) => kind === layer.kind).length;
    return layer.parameters.map((parameter) => ({ ...parameter, name: `${layer.kind}${number}/${parameter.name}` }));
  });

  return {
    name,
    config,
    inputShape,
    outputCount: built.at(-1)!.outputShape[0]!,
    parameters,
    coupled: false,
    forward(theta, inputs) {
      let next = 0;
      return built.reduce((x, layer) => {
        const own = theta.slice(next, next + layer.parameters.length);
        next += own.length;
        return layer.forward(own, x);
      }, inputs);
    },
  };
}
