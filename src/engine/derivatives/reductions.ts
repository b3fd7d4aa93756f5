import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { stopGradient } from '../kernels/ops.ts';
import { runKernel } from '../kernels/runKernel.ts';
import type { Derivative, DerivativeTable } from './Derivative.ts';

/**
 * Derivatives of sum, mean, max and min over axes.
 *
 * Sums spread dy over what they summed, by a kernel whose adjoint is the sum: TensorFlow.js multiplies with ones, and
 * both factors stay on the tape at full size. A maximum that several entries share divides dy among them; TensorFlow.js
 * hands each of them all of it.
 */
export const reductions: DerivativeTable = {
  Sum: { inputs: ['x'], gradient: (dy, [x], { axis }) => ({ x: () => spread(dy, x!.shape, axis) }) },
  Mean: {
    inputs: ['x'],
    gradient: (dy, [x], { axis }) => ({ x: () => spread(tf.mul(dy, dy.size / x!.size), x!.shape, axis) }),
  },
  Spread: { gradient: (c, _needed, { axes }) => ({ x: () => tf.sum(c, axes, true) }) },
  Max: ofExtreme(tf.max),
  Min: ofExtreme(tf.min),
};

function ofExtreme(extreme: typeof tf.max): Derivative {
  return {
    inputs: ['x'],
    gradient: (dy, [x], { reductionIndices, axis }) => ({
      x: () => {
        const axes = tf.util.parseAxisParam(reductionIndices ?? axis, x!.shape);
        const mask = tf.cast(tf.equal(x!, extreme(x!, axes, true)), 'float32');
        return tf.mul(tf.reshape(dy, kept(x!.shape, axes)), stopGradient(tf.div(mask, tf.sum(mask, axes, true))));
      },
    }),
  };
}

/** Every axis that was reduced, at length one. */
const kept = (shape: readonly number[], axes: readonly number[]) => shape.map((d, i) => (axes.includes(i) ? 1 : d));

/** dy, whose `axis` was summed away, over the shape from which it was summed. */
function spread(dy: Tensor, shape: number[], axis: number | number[]): Tensor {
  const axes = tf.util.parseAxisParam(axis, shape);
  return runKernel('Spread', { x: tf.reshape(dy, kept(shape, axes)) }, { shape, axes });
}
