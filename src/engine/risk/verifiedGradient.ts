import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { requireVerifiedKernels } from '../derivatives/verifiedKernels.ts';

/**
 * ∂y/∂x for every x as operations of the tape that is being recorded, so that it can be differentiated itself.
 *
 * @throws BrinkError where there or on the way back an operation is not verified.
 */
export function verifiedGradient(who: string, y: () => Tensor, xs: readonly Tensor[]): Tensor[] {
  const forward = () => {
    const value = y();
    // Before the way back, on which TensorFlow.js has words of its own for an operation without a derivative.
    requireVerifiedKernels(who);
    return value;
  };
  const { grads, value } = tf.engine().gradients(forward, [...xs], undefined, true);
  value.dispose();
  requireVerifiedKernels(who);
  return xs.map((x, k) => grads[k] ?? tf.zerosLike(x));
}
