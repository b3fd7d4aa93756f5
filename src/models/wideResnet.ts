import { BrinkError, requireInteger } from '../core/errors.ts';
import { requireChoice, requireFlag, requireOptions } from '../core/given.ts';
import { shown } from '../core/shown.ts';
import type { Model } from '../engine/Model.ts';
import type { LayerOf } from './chain.ts';
import { normal } from './initializers.ts';
import { ACTIVATIONS, type Activation, activate, conv, dense, globalPool, normalize } from './layers.ts';
import { requireImages } from './requireImages.ts';
import { residual } from './residual.ts';
import { sequential } from './sequential.ts';

/** Size of a wide residual network, shapes at its two ends, and whether it normalises. */
export interface WideResNetOptions {
  /** Layers with weights on the longest way, 6N + 4 for N blocks in each of the three groups; default 28. */
  readonly depth?: number;
  /** k: groups have 16k, 32k and 64k channels; default 2. */
  readonly width?: number;
  /** [height, width, channels]; default [32, 32, 3]. */
  readonly inputShape?: readonly number[];
  /** Default 10. */
  readonly outputs?: number;
  /** Whether it normalises over the batch, which couples examples; default true. */
  readonly batchNorm?: boolean;
  /** Default 'relu', as published; another one is smooth, for checks by differences. */
  readonly activation?: Activation;
}

/**
 * The wide residual network WRN-depth-k of Zagoruyko and Komodakis (2016), pre-activated, without dropout: f(θ, x)
 * [C]. For CIFAR-10 WRN-28-2 has 1,467,610 parameters, WRN-28-10 36,479,194.
 *
 * A 3 × 3 convolution to 16 channels; three groups of N = (depth − 4)/6 blocks with 16k, 32k, 64k channels, the
 * second and third of stride 2; batch normalisation, ReLU, the mean over the image, a linear layer with bias. A block
 * adds to its input two rounds of batch normalisation, ReLU and 3 × 3 convolution; the first of a group adds to a 1 ×
 * 1 convolution of its normalised, activated input instead. Convolutions have no bias, paddings are symmetric. W ~
 * N(0, 2/fan_in) (He et al., 2015), bias 0; γ = 1, β = 0, ε = 1e-5.
 *
 * With batch normalisation the model is `coupled`: it normalises each chunk by its own mean and variance, as in
 * training, also where a test set is measured, so L belongs to the chunks into which the data is cut. ReLU has kinks,
 * which finite differences see and exact products don't.
 *
 * @param options `depth` (28), `width` k (2), `inputShape` ([32, 32, 3]), `outputs` (10), `batchNorm` (true),
 *   `activation` ('relu').
 * @throws BrinkError where the depth is not 6N + 4 with N of at least 1, a count is not a positive integer, or
 *   `inputShape` is no image.
 */
export function wideResnet(options: WideResNetOptions = {}): Model {
  const names = ['depth', 'width', 'inputShape', 'outputs', 'batchNorm', 'activation'];
  requireOptions('wideResnet', options, names, '{ depth: 16, width: 2 }');
  const { depth = 28, width = 2, outputs = 10, batchNorm = true, activation = 'relu' } = options;
  const blocks = (depth - 4) / 6;
  if (!Number.isInteger(blocks) || blocks < 1) {
    throw new BrinkError(
      'wideResnet',
      `depth is ${shown(depth)}. It must be 6N + 4 for N blocks in each of three groups: 10, 16, 22, 28, …`,
    );
  }
  requireInteger('wideResnet', 'width', width, 1);
  const inputShape = requireImages('wideResnet', options.inputShape, 0);
  requireFlag('wideResnet', 'batchNorm', batchNorm);
  requireChoice('wideResnet', 'activation', activation, ACTIVATIONS);
  requireInteger('wideResnet', 'outputs', outputs, 1);
  const weights = normal(Math.SQRT2);
  const preActivate: LayerOf[] = [...(batchNorm ? [normalize()] : []), activate(activation)];
  const conv3 = (channels: number, stride = 1) => conv(channels, 3, weights, { stride, padding: 1, bias: false });
  const group = (channels: number, stride: number): LayerOf[] => [
    ...preActivate,
    residual(
      [conv3(channels, stride), ...preActivate, conv3(channels)],
      [conv(channels, 1, weights, { stride, padding: 0, bias: false })],
    ),
    ...Array.from({ length: blocks - 1 }, () =>
      residual([...preActivate, conv3(channels), ...preActivate, conv3(channels)]),
    ),
  ];
  return sequential({
    name: 'wideResnet',
    config: { depth, width, inputShape: [...inputShape], outputs, batchNorm, activation },
    inputShape,
    layers: [
      conv3(16),
      ...group(16 * width, 1),
      ...group(32 * width, 2),
      ...group(64 * width, 2),
      ...preActivate,
      globalPool('average'),
      dense(outputs, weights),
    ],
  });
}
