import * as tf from '@tensorflow/tfjs';
import type { DerivativeTable } from './Derivative.ts';
import { sumTo } from './sumTo.ts';

/**
 * Derivatives of elementwise functions that stay right when they are differentiated again.
 *
 * TensorFlow.js saves the output of exp, sigmoid and softmax for the backward pass; the saved copy enters the tape
 * before its producer, so a second backward pass never reaches it and is wrong without an error. Saving the input and
 * computing the function again cures it.
 */
export const elementwise: DerivativeTable = {
  Exp: { inputs: ['x'], gradient: (dy, [x]) => ({ x: () => tf.mul(dy, tf.exp(x!)) }) },
  Sigmoid: {
    inputs: ['x'],
    gradient: (dy, [x]) => ({
      x: () => {
        const y = tf.sigmoid(x!);
        return tf.mul(dy, tf.mul(y, tf.sub(1, y)));
      },
    }),
  },
  Softmax: {
    inputs: ['logits'],
    gradient: (dy, [logits], { dim }) => ({
      logits: () => {
        const y = tf.softmax(logits!, dim);
        const t = tf.mul(dy, y);
        return tf.sub(t, tf.mul(tf.sum(t, dim, true), y));
      },
    }),
  },
  // elu(x) = x where x > 0, else exp(x) − 1; the mask is constant.
  Elu: {
    inputs: ['x'],
    gradient: (dy, [x]) => ({
      x: () => {
        const positive = tf.step(x!);
        return tf.mul(dy, tf.add(positive, tf.mul(tf.sub(1, positive), tf.exp(tf.minimum(x!, 0)))));
      },
    }),
  },
  // TensorFlow.js's ∂/∂b takes the output from the tape.
  Pow: {
    inputs: ['a', 'b'],
    gradient: (dy, [a, b]) => ({
      a: () => sumTo(tf.mul(dy, tf.mul(b!, tf.pow(a!, tf.sub(b!, 1)))), a!.shape),
      b: () => {
        const base = tf.where(tf.greater(a!, 0), a!, tf.onesLike(a!));
        return sumTo(tf.mul(dy, tf.mul(tf.pow(a!, b!), tf.log(base))), b!.shape);
      },
    }),
  },
};
