import type { Tensor } from '@tensorflow/tfjs';
import type { Parameter } from '../engine/Model.ts';

/** What layers and chains of them are: a function of parameters and inputs, of known shapes. */
export interface Stage {
  /** In the order in which `forward` takes them. */
  readonly parameters: readonly Parameter[];
  /** Shape of one example that leaves. */
  readonly outputShape: readonly number[];
  /** Whether it normalises over the batch; default false. */
  readonly coupled?: boolean;
  forward(parameters: readonly Tensor[], inputs: Tensor): Tensor;
}

/** One layer, built for the shape of one example that arrives at it. */
export interface Layer extends Stage {
  /** The layer's part of its parameters' names: 'dense', 'conv'. */
  readonly kind: string;
}

/** What a network is written with: a layer that learns the shape of its inputs from the layers before it. */
export type LayerOf = (inputShape: readonly number[]) => Layer;

/**
 * Layers one after the other, f_K(… f_2(f_1(x))), as one.
 *
 * Parameters are named after their layer and its number among its kind, 'conv2/kernel', and lie in the order of the
 * layers.
 */
export function chain(layers: readonly LayerOf[], inputShape: readonly number[]): Stage {
  const built: Layer[] = [];
  const shape = () => built.at(-1)?.outputShape ?? inputShape;
  for (const layerOf of layers) built.push(layerOf(shape()));

  const parameters = built.flatMap((layer, position) => {
    const alike = built.filter(({ kind }) => kind === layer.kind);
    const number =
      alike.length === 1 ? '' : built.slice(0, position + 1).filter(({ kind }) => kind === layer.kind).length;
    return layer.parameters.map((parameter) => ({ ...parameter, name: `${layer.kind}${number}/${parameter.name}` }));
  });

  return {
    parameters,
    outputShape: shape(),
    coupled: built.some((layer) => layer.coupled),
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
