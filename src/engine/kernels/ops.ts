import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { runKernel } from './runKernel.ts';

/**
 * x as a constant: its value, through which nothing flows back.
 *
 * A derivative of what is built on it is that of another function, in which x does not vary: right where what is
 * built does not depend on x, as `logSumExp` not on the maximum that it takes out. Cost: none, the numbers are shared.
 */
export function stopGradient(x: Tensor): Tensor {
  return runKernel('StopGradient', {}, { x });
}

/**
 * x + b along the last axis, as a layer adds its bias.
 *
 * As an operation of its own it keeps neither term for its derivative, where tf.add keeps both.
 *
 * @param x [… × C].
 * @param b [C].
 */
export function biasAdd(x: Tensor, b: Tensor): Tensor {
  return runKernel('BiasAdd', { x, b });
}

/**
 * log Σ_c exp(z_c) over the last axis, without overflow: the row's maximum is taken out as a constant.
 *
 * TensorFlow.js's own logSumExp and logSoftmax are wrong or missing at second order.
 *
 * @param z [… × C].
 * @returns […].
 */
export function logSumExp(z: Tensor): Tensor {
  const largest = stopGradient(tf.max(z, -1, true));
  return tf.add(tf.log(tf.sum(tf.exp(tf.sub(z, largest)), -1)), tf.squeeze(largest, [-1]));
}

/** x·Φ(x) with the normal distribution function Φ, exact: ½ x (1 + erf(x/√2)) (Hendrycks and Gimpel, 2016). */
export function gelu(x: Tensor): Tensor {
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
}

/**
 * γ x̂ + β with x̂ = (x − mean x)/√(var x + ε), mean and variance over every axis but the last, of this batch.
 *
 * It couples the examples of a batch: a model that uses it is `coupled`, and its L belongs to a fixed partition of the
 * data (Ioffe and Szegedy, 2015, algorithm 1).
 *
 * @param x [… × C].
 * @param gamma γ [C].
 * @param beta β [C].
 * @param epsilon ε, above 0; default 1e-5.
 */
export function batchNorm(x: Tensor, gamma: Tensor, beta: Tensor, epsilon = 1e-5): Tensor {
  return runKernel('BatchNorm', { x, gamma, beta }, { epsilon });
}
