import type { JsonObject } from '../core/Json.ts';
import type { Model } from '../engine/Model.ts';
import { chain, type LayerOf } from './chain.ts';

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
 * The network f(θ, x) = f_K(… f_2(f_1(x))), one layer after the other; `coupled` where one of them normalises over
 * the batch.
 *
 * Parameters are named after their layer and its number among its kind, 'conv2/kernel', and lie in θ in the order of
 * the layers.
 *
 * @param options `name`, `config`, `inputShape`, `layers`.
 */
export function sequential({ name, config, inputShape, layers }: SequentialOptions): Model {
  const { parameters, outputShape, coupled = false, forward } = chain(layers, inputShape);
  return { name, config, inputShape, outputCount: outputShape[0]!, parameters, coupled, forward };
}
