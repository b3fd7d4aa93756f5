import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { registerGradient } from '../kernels/register.ts';

/**
 * Derivatives of +, −, · and squares without what they rarely need.
 *
 * TensorFlow.js casts and reshapes in each of them whether or not it has to: half of the operations of a small network's
 * Hessian-vector product.
 */
export function installArithmetic(): void {
  registerGradient('Add', { inputs: ['a', 'b'] }, (dy, [a, b]) => ({
    a: () => sumTo(dy.clone(), a!.shape),
    b: () => sumTo(dy.clone(), b!.shape),
  }));
  registerGradient('Sub', { inputs: ['a', 'b'] }, (dy, [a, b]) => ({
    a: () => sumTo(dy.clone(), a!.shape),
    b: () => sumTo(tf.neg(dy), b!.shape),
  }));
  registerGradient('Multiply', { inputs: ['a', 'b'] }, (dy, [a, b]) => ({
    a: () => sumTo(tf.mul(dy, float(b!)), a!.shape),
    b: () => sumTo(tf.mul(dy, float(a!)), b!.shape),
  }));
  registerGradient('Square', { inputs: ['x'] }, (dy, [x]) => ({ x: () => tf.mul(dy, tf.mul(float(x!), 2)) }));
}

/** Sums over the axes along which `shape` was broadcast. */
export function sumTo(x: Tensor, shape: number[]): Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, x.shape);
  const sum = axes.length > 0 ? tf.sum(x, axes) : x;
  return tf.util.arraysEqual(sum.shape, shape) ? sum : tf.reshape(sum, shape);
}

const float = (x: Tensor): Tensor => (x.dtype === 'float32' ? x : tf.cast(x, 'float32'));
