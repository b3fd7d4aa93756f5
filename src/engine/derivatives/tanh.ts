import * as tf from '@tensorflow/tfjs';
import { runKernel } from '../kernels/runKernel.ts';
import type { DerivativeTable } from './Derivative.ts';

/**
 * Derivatives of y = tanh x to second order from y alone:
 * T(x, dy) = (1 − y²) dy, ∂⟨T, c⟩/∂dy = T(x, c), ∂⟨T, c⟩/∂x = −2 y T(x, c dy).
 *
 * T takes x for the tape's sake, which thereby knows that T depends on it; y, from which it computes, travels in an
 * attribute.
 */
export const tanh: DerivativeTable = {
  Tanh: {
    inputs: ['x'],
    output: true,
    gradient: (dy, [x, y]) => ({ x: () => runKernel('TanhGrad', { x: x!, dy }, { y }) }),
  },
  TanhGrad: {
    inputs: ['x', 'dy'],
    gradient: (c, [x, dy], { y }) => ({
      dy: () => runKernel('TanhGrad', { x: x!, dy: c }, { y }),
      x: () => tf.mul(tf.mul(runKernel('TanhGrad', { x: x!, dy: tf.mul(c, dy!) }, { y }), y), -2),
    }),
  },
};
