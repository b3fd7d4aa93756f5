import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { BrinkError } from '../core/errors.ts';
import type { Initializer } from '../engine/Model.ts';
import { biasAdd, gelu } from '../engine/ops.ts';
import type { KernelInitializer } from './initializers.ts';
import type { LayerOf } from './sequential.ts';

const activations = { tanh: tf.tanh, gelu, relu: tf.relu } satisfies Record<string, (x: Tensor) => Tensor>;
const poolings = { average: tf.avgPool, max: tf.maxPool };

/** A nonlinearity. */
export type Activation = keyof typeof activations;

/** How a window is reduced to one entry. */
export type Pooling = keyof typeof poolings;

const zero: Initializer = { distribution: 'constant', scale: 0 };

/** x W + b: [in] → [units], W [in, units], b [units] = 0 at first. */
export const dense =
  (units: number, initializer: KernelInitializer): LayerOf =>
  ([inputs]) => ({
    kind: 'dense',
    parameters: [
      { name: 'kernel', shape: [inputs!, units], initializer: initializer(inputs!) },
      { name: 'bias', shape: [units], initializer: zero },
    ],
    outputShape: [units],
    forward: ([kernel, bias], x) => biasAdd(tf.matMul(x as Tensor2D, kernel as Tensor2D), bias!),
  });

/**
 * Cross-correlation with zero padding, plus b: [height, width, in] → [⌈height/stride⌉, ⌈width/stride⌉, channels],
 * kernel [size, size, in, channels], b [channels] = 0 at first.
 */
export const conv =
  (channels: number, size: number, stride: number, initializer: KernelInitializer): LayerOf =>
  ([height, width, inputs]) => ({
    kind: 'conv',
    parameters: [
      { name: 'kernel', shape: [size, size, inputs!, channels], initializer: initializer(size * size * inputs!) },
      { name: 'bias', shape: [channels], initializer: zero },
    ],
    outputShape: [Math.ceil(height! / stride), Math.ceil(width! / stride), channels],
    forward: ([kernel, bias], x) => biasAdd(tf.conv2d(x as Tensor4D, kernel as Tensor4D, stride, 'same'), bias!),
  });

/** The nonlinearity, entry by entry. */
export const activate =
  (activation: Activation): LayerOf =>
  (inputShape) => {
    const apply = named('activation', activations, activation);
    return { kind: activation, parameters: [], outputShape: inputShape, forward: (_, x) => apply(x) };
  };

/** Average or maximum over windows of 2 × 2: [height, width, channels] → [⌊height/2⌋, ⌊width/2⌋, channels]. */
export const pool =
  (pooling: Pooling): LayerOf =>
  ([height, width, channels]) => {
    const apply = named('pooling', poolings, pooling);
    return {
      kind: pooling,
      parameters: [],
      outputShape: [Math.floor(height! / 2), Math.floor(width! / 2), channels!],
      forward: (_, x) => apply(x as Tensor4D, 2, 2, 'valid'),
    };
  };

/** Each example as one row: [height, width, channels] → [height · width · channels], row-major. */
export const flatten: LayerOf = (inputShape) => {
  const size = inputShape.reduce((a, b) => a * b, 1);
  return { kind: 'flatten', parameters: [], outputShape: [size], forward: (_, x) => tf.reshape(x, [-1, size]) };
};

function named<T>(what: string, table: Record<string, T>, name: string): T {
  if (Object.hasOwn(table, name)) return table[name]!;
  throw new BrinkError(what, `there is none called '${name}'. Choose one of ${Object.keys(table).join(', ')}.`);
}
