import * as tf from '@tensorflow/tfjs';
import type { DerivativeTable } from './Derivative.ts';
import { sumTo } from './sumTo.ts';

/**
 * Derivatives of matrix products whose batches are broadcast: [B, T, d] by [d, k] is B products by one matrix, whose
 * gradient is the sum of theirs.
 *
 * TensorFlow.js leaves that sum out, and its gradient has the wrong shape.
 */
export const matrixProduct: DerivativeTable = {
  BatchMatMul: {
    inputs: ['a', 'b'],
    gradient: (dy, [a, b], { transposeA, transposeB }) => ({
      a: () =>
        sumTo(transposeA ? tf.matMul(b!, dy, !!transposeB, true) : tf.matMul(dy, b!, false, !transposeB), a!.shape),
      b: () =>
        sumTo(transposeB ? tf.matMul(dy, a!, true, !!transposeA) : tf.matMul(a!, dy, !transposeA, false), b!.shape),
    }),
  },
};
