import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { leadingAxes } from '../leadingAxes.ts';

/**
 * What batch normalisation and its derivatives are made of, all means over every axis but the last:
 * r = 1/√(var x + ε), x̂ = r (x − mean x), and P d = d − mean d − x̂ mean(x̂ d), which is symmetric.
 */
export function batchStatistics(x: Tensor, epsilon: number) {
  const mean = (d: Tensor): Tensor => tf.mean(d, leadingAxes(d), true);
  const centred = tf.sub(x, mean(x));
  const variance = mean(tf.square(centred));
  // A variance beyond float32 is infinite, and 1/√∞ would be 0: 0 · ∞ makes it NaN.
  const r = tf.add(tf.rsqrt(tf.add(variance, epsilon)), tf.mul(variance, 0));
  const xHat = tf.mul(centred, r);
  const project = (d: Tensor): Tensor => tf.sub(tf.sub(d, mean(d)), tf.mul(xHat, mean(tf.mul(xHat, d))));
  return { xHat, r, mean, project };
}
