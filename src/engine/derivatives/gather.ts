import * as tf from '@tensorflow/tfjs';
import { runKernel } from '../kernels/runKernel.ts';
import type { DerivativeTable } from './Derivative.ts';

/**
 * The derivative of gather, which adds each row back to the place from which it was taken; its adjoint gathers again.
 *
 * TensorFlow.js writes it with a kernel that WebAssembly lacks.
 */
export const gather: DerivativeTable = {
  GatherV2: {
    inputs: ['x', 'indices'],
    gradient: (dy, [x, indices], { axis, batchDims }) => {
      if (batchDims !== 0) {
        throw new Error(`gather: batchDims is ${batchDims}. It has a derivative for 0 only; gather without them.`);
      }
      const along = tf.util.parseAxisParam(axis, x!.shape)[0]!;
      return { x: () => runKernel('GatherAdjoint', { dy }, { indices, axis: along, shape: x!.shape }) };
    },
  },
  GatherAdjoint: { gradient: (c, _needed, { indices, axis }) => ({ dy: () => tf.gather(c, indices, axis) }) },
};
