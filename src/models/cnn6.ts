import { requireInteger } from '../core/errors.ts';
import { requireOptions } from '../core/given.ts';
import type { Model } from '../engine/Model.ts';
import { kaimingUniform } from './initializers.ts';
import { activate, conv, dense, flatten } from './layers.ts';
import { requireImages } from './requireImages.ts';
import { sequential } from './sequential.ts';

/** Shapes at the two ends of the network. */
export interface Cnn6Options {
  /** [height, width, channels]; default [32, 32, 3]. */
  readonly inputShape?: readonly number[];
  /** Default 10. */
  readonly outputs?: number;
}

/**
 * A network of six layers with 512,118 parameters: conv3-32, conv4-32 of stride 2, conv3-64, conv4-64 of stride 2,
 * dense 100, dense 10, ReLU between them, with biases.
 *
 * It stands for the 6CNN of Lee and Jang, which has m = 0.51M; how theirs is built can't be pinned from public
 * sources, so this is brink's own of the same depth and size, and numbers from it need not be theirs. Initialised as
 * the paper's source library initialises its ResNet-9: Kaiming uniform for linear layers (He et al., 2015), W uniform
 * on ±√(3/fan_in); biases 0.
 *
 * @param options `inputShape` (default [32, 32, 3]), `outputs` (default 10).
 * @throws BrinkError where height or width is no multiple of 4, or `outputs` is not a positive integer.
 */
export function cnn6(options: Cnn6Options = {}): Model {
  requireOptions('cnn6', options, ['inputShape', 'outputs'], '{ inputShape: [32, 32, 3], outputs: 10 }');
  const { outputs = 10 } = options;
  const inputShape = requireImages('cnn6', options.inputShape, 2);
  requireInteger('cnn6', 'outputs', outputs, 1);
  const weights = kaimingUniform(1);
  const relu = activate('relu');
  return sequential({
    name: 'cnn6',
    config: { inputShape: [...inputShape], outputs },
    inputShape,
    layers: [
      conv(32, 3, weights),
      relu,
      conv(32, 4, weights, { stride: 2 }),
      relu,
      conv(64, 3, weights),
      relu,
      conv(64, 4, weights, { stride: 2 }),
      relu,
      flatten,
      dense(100, weights),
      relu,
      dense(outputs, weights),
    ],
  });
}
