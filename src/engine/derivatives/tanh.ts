import * as tf from '@tensorflow/tfjs';
import { runKernel } from '../kernels/runKernel.ts';
import type { DerivativeTable } from './Derivative.ts';

/**
 * Derivatives of y = tanh x from y alone, to any order:
 * T(x, dy) = (1 − y²) dy, ∂⟨T, c⟩/∂dy = T(x, c), ∂⟨T, c⟩/∂x = −2 y T(x, c dy).
 *
 * T takes x for the tape's sake, which thereby knows that T depends on it; y, from which it computes, travels in an
 * attribute. So does the y in the last: TanhAgain gives it as a function of x.
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
      x: () => {
        const own = runKernel('TanhAgain', { x: x! }, { y });
        return tf.mul(tf.mul(runKernel('TanhGrad', { x: x!, dy: tf.mul(c, dy!) }, { y }), own), -2);
      },
    }),
  },
  TanhAgain: {
    inputs: ['x'],
    gradient: (dy, [x], { y }) => ({ x: () => runKernel('TanhGrad', { x: x!, dy }, { y }) }),
  },
};
