import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { BACKENDS, isLoaded, registerGradient, registerKernel } from '../kernels/register.ts';
import { sumTo } from './arithmetic.ts';

/**
 * Derivatives of elementwise functions that stay right when they are differentiated again.
 *
 * TensorFlow.js saves the output of exp, sigmoid, tanh and softmax for the backward pass; the saved copy enters the tape before
 * its producer, so a second backward pass never reaches it and is wrong without an error. Saving the input and computing the
 * function again cures it. Comparisons are constant almost everywhere.
 */
export function installElementwise(): void {
  registerGradient('Exp', { inputs: ['x'] }, (dy, [x]) => ({ x: () => tf.mul(dy, tf.exp(x!)) }));
  registerGradient('Sigmoid', { inputs: ['x'] }, (dy, [x]) => ({
    x: () => {
      const y = tf.sigmoid(x!);
      return tf.mul(dy, tf.mul(y, tf.sub(1, y)));
    },
  }));
  registerGradient('Softmax', { inputs: ['logits'] }, (dy, [logits], { dim }) => ({
    logits: () => {
      const y = tf.softmax(logits!, dim);
      const t = tf.mul(dy, y);
      return tf.sub(t, tf.mul(tf.sum(t, dim, true), y));
    },
  }));
  // elu(x) = x where x > 0, else exp(x) − 1; the mask is constant.
  registerGradient('Elu', { inputs: ['x'] }, (dy, [x]) => ({
    x: () => {
      const positive = tf.step(x!);
      return tf.mul(dy, tf.add(positive, tf.mul(tf.sub(1, positive), tf.exp(tf.minimum(x!, 0)))));
    },
  }));

  // TensorFlow.js's ∂/∂b takes the output from the tape.
  registerGradient('Pow', { inputs: ['a', 'b'] }, (dy, [a, b]) => ({
    a: () => sumTo(tf.mul(dy, tf.mul(b!, tf.pow(a!, tf.sub(b!, 1)))), a!.shape),
    b: () => {
      const base = tf.where(tf.greater(a!, 0), a!, tf.onesLike(a!));
      return sumTo(tf.mul(dy, tf.mul(tf.pow(a!, b!), tf.log(base))), b!.shape);
    },
  }));

  const none = (x: Tensor) => () => tf.zeros(x.shape);
  for (const name of ['Equal', 'NotEqual', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'LogicalAnd', 'LogicalOr']) {
    registerGradient(name, { inputs: ['a', 'b'] }, (_dy, [a, b]) => ({ a: none(a!), b: none(b!) }));
  }
  registerGradient('LogicalNot', { inputs: ['x'] }, (_dy, [x]) => ({ x: none(x!) }));

  // The attribute's tensor is no input, so the tape does not connect what comes out to it.
  for (const name of BACKENDS.filter(isLoaded)) {
    registerKernel('StopGradient', name, (_inputs, { x }) => x.clone());
  }
}
