import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { Attributes, Inputs } from '../Kernel.ts';

/** dy where y > 0, else 0. */
export function reluMask({ dy }: Inputs, { y }: Attributes): Tensor {
  return tf.tidy(() => tf.mul(dy!, tf.step(y)));
}
