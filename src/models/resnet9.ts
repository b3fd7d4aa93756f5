import { BrinkError, requireInteger } from '../core/errors.ts';
import { requireFlag, requireOptions } from '../core/given.ts';
import type { Model } from '../engine/Model.ts';
import type { LayerOf } from './chain.ts';
import { kaimingUniform } from './initializers.ts';
import { activate, type ConvOptions, conv, dense, globalPool, normalize, pool, scale } from './layers.ts';
import { requireImages } from './requireImages.ts';
import { residual } from './residual.ts';
import { sequential } from './sequential.ts';

/** Shapes at the two ends of the network, and whether it normalises. */
export interface ResNet9Options {
  /** [height, width, channels], sides of 11 at least; default [32, 32, 3]. */
  readonly inputShape?: readonly number[];
  /** Default 10. */
  readonly outputs?: number;
  /** Whether each convolution is followed by batch normalisation, which couples examples; default true. */
  readonly batchNorm?: boolean;
}

/** The last convolution has no padding, and the image that reaches it is a quarter of the input. */
const SMALLEST_SIDE = 11;

/**
 * The ResNet-9 of Lee and Jang (2023): z [C] = 0.2 W maxpool(block(res(block(…)))) with 2,274,880 parameters for
 * CIFAR-10, without batch normalisation 2,272,192.
 *
 * Blocks of a convolution without bias, batch normalisation and ReLU: 3 × 3 to 64 channels, 5 × 5 of stride 2 to 128,
 * a residual of two 3 × 3; 3 × 3 to 256, 2 × 2 max pooling, a residual of two 3 × 3; 3 × 3 to 128 without padding;
 * then the maximum over the image, a linear layer without bias, and logits times 0.2. Paddings are symmetric. Kaiming
 * uniform for linear layers, W uniform on ±√(3/fan_in) (He et al., 2015); γ = 1, β = 0, ε = 1e-5.
 *
 * With batch normalisation the model is `coupled`: it normalises each chunk by its own mean and variance, as in
 * training, also where a test set is measured, so L belongs to the chunks into which the data is cut. ReLU and max
 * pooling have kinks, which finite differences see and exact products don't.
 *
 * @param options `inputShape` ([32, 32, 3]), `outputs` (10), `batchNorm` (true).
 * @throws BrinkError where `inputShape` is no image with sides of 11 at least, or `outputs` is not a positive integer.
 */
export function resnet9(options: ResNet9Options = {}): Model {
  requireOptions('resnet9', options, ['inputShape', 'outputs', 'batchNorm'], '{ outputs: 10, batchNorm: false }');
  const { outputs = 10, batchNorm = true } = options;
  const inputShape = requireImages('resnet9', options.inputShape, 0);
  requireFlag('resnet9', 'batchNorm', batchNorm);
  if (Math.min(inputShape[0]!, inputShape[1]!) < SMALLEST_SIDE) {
    throw new BrinkError(
      'resnet9',
      `inputShape is [${inputShape}]. Height and width must be at least ${SMALLEST_SIDE}: they are halved twice, and the last convolution takes 3 × 3 without padding.`,
    );
  }
  requireInteger('resnet9', 'outputs', outputs, 1);
  const weights = kaimingUniform(1);
  const block = (channels: number, size: number, options: ConvOptions): LayerOf[] => [
    conv(channels, size, weights, { ...options, bias: false }),
    ...(batchNorm ? [normalize()] : []),
    activate('relu'),
  ];
  const twice = (channels: number) => [...block(channels, 3, { padding: 1 }), ...block(channels, 3, { padding: 1 })];
  return sequential({
    name: 'resnet9',
    config: { inputShape: [...inputShape], outputs, batchNorm },
    inputShape,
    layers: [
      ...block(64, 3, { padding: 1 }),
      ...block(128, 5, { padding: 2, stride: 2 }),
      residual(twice(128)),
      ...block(256, 3, { padding: 1 }),
      pool('max'),
      residual(twice(256)),
      ...block(128, 3, { padding: 0 }),
      globalPool('max'),
      dense(outputs, weights, { bias: false }),
      scale(0.2),
    ],
  });
}
