import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { requireChoice } from '../core/given.ts';
import { batchNorm, biasAdd, gelu } from '../engine/kernels/ops.ts';
import type { Initializer, Parameter } from '../engine/Model.ts';
import type { LayerOf } from './chain.ts';
import type { KernelInitializer } from './initializers.ts';

const activations = { tanh: tf.tanh, gelu, relu: tf.relu } satisfies Record<string, (x: Tensor) => Tensor>;
const poolings = { average: tf.avgPool, max: tf.maxPool };
const globalPoolings = { average: tf.mean, max: tf.max } satisfies Record<Pooling, unknown>;

/** A nonlinearity. */
export type Activation = keyof typeof activations;

/** How a window is reduced to one entry. */
export type Pooling = keyof typeof poolings;

/** The names of the nonlinearities. */
export const ACTIVATIONS = Object.keys(activations) as readonly Activation[];

/** The names of the poolings. */
export const POOLINGS = Object.keys(poolings) as readonly Pooling[];

const zero: Initializer = { distribution: 'constant', scale: 0 };
const one: Initializer = { distribution: 'constant', scale: 1 };

/** A parameter of one axis, which PyTorch has as it is. */
const vector = (name: string, shape: readonly number[], initializer: Initializer, inPyTorch: string): Parameter => ({
  name,
  shape,
  initializer,
  pytorch: { name: inPyTorch, shape, apart: shape, axes: [0] },
});

/** x W, plus b unless `bias` is false: [in] → [units], W [in, units], b [units] = 0 at first. */
export const dense =
  (units: number, weights: KernelInitializer, { bias: hasBias = true } = {}): LayerOf =>
  ([inputs]) => ({
    kind: 'dense',
    parameters: [
      {
        name: 'kernel',
        shape: [inputs!, units],
        initializer: weights(inputs!),
        pytorch: { name: 'weight', shape: [units, inputs!], apart: [inputs!, units], axes: [1, 0] },
      },
      ...(hasBias ? [vector('bias', [units], zero, 'bias')] : []),
    ],
    outputShape: [units],
    forward: ([kernel, bias], x) => {
      const product = tf.matMul(x as Tensor2D, kernel as Tensor2D);
      return bias ? biasAdd(product, bias) : product;
    },
  });

/** How a convolution goes about it. */
export interface ConvOptions {
  /** Default 1. */
  readonly stride?: number;
  /**
   * Zeros on each side; default 'same': as many as give ⌈height/stride⌉ rows, one more below and on the right where
   * they are odd.
   */
  readonly padding?: number | 'same';
  /** Whether b is added; default true. */
  readonly bias?: boolean;
}

/**
 * Cross-correlation with zero padding, plus b unless `bias` is false: [height, width, in] → [rows, columns,
 * channels], kernel [size, size, in, channels], b [channels] = 0 at first; ⌈height/stride⌉ rows with 'same' padding,
 * ⌊(height + 2p − size)/stride⌋ + 1 with p.
 */
export const conv =
  (channels: number, size: number, weights: KernelInitializer, options: ConvOptions = {}): LayerOf =>
  ([height, width, inputs]) => {
    const { stride = 1, padding = 'same', bias: hasBias = true } = options;
    const cut = (length: number) =>
      padding === 'same' ? Math.ceil(length / stride) : Math.floor((length + 2 * padding - size) / stride) + 1;
    const pad: Parameters<typeof tf.conv2d>[3] =
      padding === 'same'
        ? 'same'
        : [
            [0, 0],
            [padding, padding],
            [padding, padding],
            [0, 0],
          ];
    return {
      kind: 'conv',
      parameters: [
        {
          name: 'kernel',
          shape: [size, size, inputs!, channels],
          initializer: weights(size * size * inputs!),
          pytorch: {
            name: 'weight',
            shape: [channels, inputs!, size, size],
            apart: [size, size, inputs!, channels],
            axes: [3, 2, 0, 1],
          },
        },
        ...(hasBias ? [vector('bias', [channels], zero, 'bias')] : []),
      ],
      outputShape: [cut(height!), cut(width!), channels],
      forward: ([kernel, bias], x) => {
        const y = tf.conv2d(x as Tensor4D, kernel as Tensor4D, stride, pad);
        return bias ? biasAdd(y, bias) : y;
      },
    };
  };

/**
 * γ x̂ + β with the mean and variance of the batch (`batchNorm`): C channels last, γ [C] = 1 and β [C] = 0 at first.
 * It couples examples.
 */
export const normalize =
  (epsilon = 1e-5): LayerOf =>
  (inputShape) => {
    const channels = inputShape.slice(-1);
    return {
      kind: 'batchNorm',
      coupled: true,
      parameters: [vector('gamma', channels, one, 'weight'), vector('beta', channels, zero, 'bias')],
      outputShape: inputShape,
      forward: ([gamma, beta], x) => batchNorm(x, gamma!, beta!, epsilon),
    };
  };

/** The nonlinearity, entry by entry. */
export const activate =
  (activation: Activation): LayerOf =>
  (inputShape) => {
    requireChoice('activate', 'activation', activation, ACTIVATIONS);
    const apply: (x: Tensor) => Tensor = activations[activation];
    return { kind: activation, parameters: [], outputShape: inputShape, forward: (_, x) => apply(x) };
  };

/** Average or maximum over windows of 2 × 2: [height, width, channels] → [⌊height/2⌋, ⌊width/2⌋, channels]. */
export const pool =
  (pooling: Pooling): LayerOf =>
  ([height, width, channels]) => {
    requireChoice('pool', 'pooling', pooling, POOLINGS);
    const apply = poolings[pooling];
    return {
      kind: pooling,
      parameters: [],
      outputShape: [Math.floor(height! / 2), Math.floor(width! / 2), channels!],
      forward: (_, x) => apply(x as Tensor4D, 2, 2, 'valid'),
    };
  };

/** Average or maximum over the whole image: [height, width, channels] → [channels]. */
export const globalPool =
  (pooling: Pooling): LayerOf =>
  ([, , channels]) => ({
    kind: pooling,
    parameters: [],
    outputShape: [channels!],
    forward: (_, x) => globalPoolings[pooling](x, [1, 2]),
  });

/** Each example as one row: [height, width, channels] → [height · width · channels], row-major. */
export const flatten: LayerOf = (inputShape) => {
  const size = inputShape.reduce((a, b) => a * b, 1);
  return { kind: 'flatten', parameters: [], outputShape: [size], forward: (_, x) => tf.reshape(x, [-1, size]) };
};

/** x times a constant. */
export const scale =
  (factor: number): LayerOf =>
  (inputShape) => ({
    kind: 'scale',
    parameters: [],
    outputShape: inputShape,
    forward: (_, x) => tf.mul(x, factor),
  });
