import type { Tensor4D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { runKernel } from '../kernels/runKernel.ts';
import type { DerivativeTable } from './Derivative.ts';

/**
 * Derivatives of max and average pooling to second order.
 *
 * Where the places of the maxima are given, max pooling is linear: its derivative scatters dy to these places, and the
 * derivative of that gathers from them. Where several entries of a window are equal the first counts, in both
 * directions, so that H stays symmetric. x and y, which say where the maxima are, travel in attributes, through which
 * nothing flows back.
 */
export const pooling: DerivativeTable = {
  MaxPool: {
    inputs: ['x'],
    output: true,
    gradient: (dy, [x, y], attributes) => ({ x: () => runKernel('MaxPoolScatter', { dy }, { ...attributes, x, y }) }),
  },
  MaxPoolScatter: {
    gradient: (c, _needed, attributes) => ({ dy: () => runKernel('MaxPoolGather', { c }, attributes) }),
  },
  MaxPoolGather: {
    gradient: (dy, _needed, attributes) => ({ c: () => runKernel('MaxPoolScatter', { dy }, attributes) }),
  },
  AvgPool: {
    inputs: ['x'],
    gradient: (dy, [x], attributes) => ({
      x: () => runKernel('AvgPoolSpread', { dy }, { ...attributes, inputShape: x!.shape }),
    }),
  },
  AvgPoolSpread: {
    gradient: (c, _needed, { filterSize, strides, pad, dimRoundingMode }) => ({
      dy: () => tf.avgPool(c as Tensor4D, filterSize, strides, pad, dimRoundingMode),
    }),
  },
};
