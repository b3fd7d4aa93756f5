import { BrinkError, requireInteger, requireNumber } from '../core/errors.ts';
import { integers, requireChoice, requireList, requireOptions } from '../core/given.ts';
import type { Model } from '../engine/Model.ts';
import { normal } from './initializers.ts';
import {
  ACTIVATIONS,
  type Activation,
  activate,
  conv,
  dense,
  flatten,
  POOLINGS,
  type Pooling,
  pool,
} from './layers.ts';
import { requireImages } from './requireImages.ts';
import { sequential } from './sequential.ts';

/** Shape of a small convolution network. */
export interface CnnOptions {
  /** [height, width, channels]; default [32, 32, 3]. */
  readonly inputShape?: readonly number[];
  /** Default 10. */
  readonly outputs?: number;
  /** Channels of each convolution; default [8, 16]. */
  readonly channels?: readonly number[];
  /** The pooling behind each convolution, one each; default ['average', 'max']. */
  readonly pooling?: readonly Pooling[];
  /** Default 'relu'. */
  readonly activation?: Activation;
  /** s; default √2. */
  readonly weightScale?: number;
}

/**
 * A convolution network for a laptop's minute: blocks of a 3 × 3 convolution (same size), φ and 2 × 2 pooling, then
 * one dense layer.
 *
 * W ~ N(0, s²/fan_in) with s = √2 (He et al., 2015), biases 0. As it stands it has 11,642 parameters; max pooling and
 * relu have kinks, which finite differences see and exact products don't: `activation: 'tanh', pooling: ['average',
 * 'average']` has none.
 *
 * @param options `inputShape`, `outputs`, `channels`, `pooling`, `activation` ('tanh', 'gelu' or 'relu'),
 *   `weightScale` s.
 * @throws BrinkError where `channels` and `pooling` differ in length, a count is not a positive integer, s is not
 *   above 0, height or width can't be halved once a block, or a name is unknown.
 */
export function cnn(options: CnnOptions = {}): Model {
  const names = ['inputShape', 'outputs', 'channels', 'pooling', 'activation', 'weightScale'];
  requireOptions('cnn', options, names, '{ inputShape: [32, 32, 3], outputs: 10 }');
  const { outputs = 10, pooling = ['average', 'max'], activation = 'relu', weightScale = Math.SQRT2 } = options;
  const channels = integers('cnn', 'channels', options.channels ?? [8, 16], 1);
  requireList('cnn', 'pooling', pooling);
  if (pooling.length !== channels.length) {
    throw new BrinkError(
      'cnn',
      `pooling has ${pooling.length} entries, channels ${channels.length}. Each convolution has one.`,
    );
  }
  pooling.forEach((name, k) => {
    requireChoice('cnn', `pooling[${k}]`, name, POOLINGS);
  });
  requireChoice('cnn', 'activation', activation, ACTIVATIONS);
  requireInteger('cnn', 'outputs', outputs, 1);
  requireNumber('cnn', 'weightScale', weightScale, 0);
  const inputShape = requireImages('cnn', options.inputShape, channels.length);
  const weights = normal(weightScale);
  return sequential({
    name: 'cnn',
    config: {
      inputShape: [...inputShape],
      outputs,
      channels: [...channels],
      pooling: [...pooling],
      activation,
      weightScale,
    },
    inputShape,
    layers: [
      ...channels.flatMap((count, k) => [conv(count, 3, weights), activate(activation), pool(pooling[k]!)]),
      flatten,
      dense(outputs, weights),
    ],
  });
}
