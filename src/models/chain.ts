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

/** The parameter with a prefix to its name in PyTorch. */
export function named(parameter: Parameter, prefix: string): Parameter {
  const { pytorch } = parameter;
  return pytorch === undefined ? parameter : { ...parameter, pytorch: { ...pytorch, name: prefix + pytorch.name } };
}

/** A dense layer behind a flattened image: PyTorch flattens it with the channels first. */
function channelsFirst(layer: Layer, image: readonly number[]): Layer {
  if (layer.kind !== 'dense') return layer;
  const parameters = layer.parameters.map((parameter) => {
    const { pytorch, shape } = parameter;
    if (pytorch === undefined || shape.length !== 2 || image.length !== 3) return parameter;
    return { ...parameter, pytorch: { ...pytorch, apart: [...image, shape[1]!], axes: [3, 2, 0, 1] } };
  });
  return { ...layer, parameters };
}

/**
 * Layers one after the other, f_K(… f_2(f_1(x))), as one.
 *
 * Parameters are named after their layer and its number among its kind, 'conv2/kernel', and lie in the order of the
 * layers.
 */
export function chain(layers: readonly LayerOf[], inputShape: readonly number[]): Stage {
  const built: Layer[] = [];
  const shape = () => built.at(-1)?.outputShape ?? inputShape;
  /** The image whose entries, flattened, arrive at the next layer; null: none. */
  let image: readonly number[] | null = null;
  for (const layerOf of layers) {
    const arriving = shape();
    const layer = layerOf(arriving);
    built.push(image === null ? layer : channelsFirst(layer, image));
    if (layer.kind === 'flatten') image = arriving;
    else if (layer.parameters.length > 0) image = null;
  }

  const parameters = built.flatMap((layer, position) => {
    const alike = built.filter(({ kind }) => kind === layer.kind);
    const number =
      alike.length === 1 ? '' : built.slice(0, position + 1).filter(({ kind }) => kind === layer.kind).length;
    return layer.parameters.map((parameter) => ({
      ...named(parameter, `${position}.`),
      name: `${layer.kind}${number}/${parameter.name}`,
    }));
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
