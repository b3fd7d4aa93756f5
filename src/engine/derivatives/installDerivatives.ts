import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { Attributes } from '../kernels/Kernel.ts';
import { derivatives } from './derivatives.ts';
import { softmaxCrossEntropy } from './softmaxCrossEntropy.ts';
import { takeFusedApart } from './takeFusedApart.ts';

/**
 * Makes TensorFlow.js right to second order: its second derivatives are missing for convolution and pooling, wrong
 * without an error for exp, sigmoid, tanh and softmax, and written by hand for fused operations and the softmax loss.
 */
export function installDerivatives(): void {
  for (const [kernelName, { inputs = [], output = false, gradient }] of Object.entries(derivatives)) {
    if (tf.getGradient(kernelName)) tf.unregisterGradient(kernelName);
    tf.registerGradient({
      kernelName,
      ...(inputs === 'all' ? { saveAllInputs: true } : { inputsToSave: [...inputs] }),
      outputsToSave: output ? [true] : [],
      gradFunc: (dy, needed, attributes) => gradient(dy as Tensor, needed, attributes as Attributes),
    });
  }
  takeFusedApart();
  Object.assign(tf.losses, { softmaxCrossEntropy });
}
