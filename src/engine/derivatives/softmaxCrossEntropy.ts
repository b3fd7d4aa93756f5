import type { Tensor, TensorLike } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { logSumExp } from '../kernels/ops.ts';

/**
 * tf.losses.softmaxCrossEntropy, −Σ_c y_c (z_c − log Σ exp z), weighted and reduced as there, without the gradient that
 * TensorFlow.js has written by hand (tf.customGrad), which nobody can verify from outside.
 */
export function softmaxCrossEntropy<T extends Tensor, O extends Tensor>(
  onehotLabels: T | TensorLike,
  logits: T | TensorLike,
  weights?: Tensor | TensorLike,
  labelSmoothing = 0,
  reduction: tf.Reduction = tf.Reduction.SUM_BY_NONZERO_WEIGHTS,
): O {
  return tf.tidy(() => {
    const [labels, z] = [onehotLabels, logits].map(tensor) as [Tensor, Tensor];
    tf.util.assertShapesMatch(labels.shape, z.shape, 'Error in softmaxCrossEntropy: ');
    const y =
      labelSmoothing > 0 ? tf.add(tf.mul(labels, 1 - labelSmoothing), labelSmoothing / labels.shape.at(-1)!) : labels;
    const logShares = tf.sub(z, tf.expandDims(logSumExp(z), -1));
    return tf.losses.computeWeightedLoss(tf.neg(tf.sum(tf.mul(y, logShares), -1)), weights, reduction) as O;
  });
}

function tensor(values: Tensor | TensorLike): Tensor {
  const given = values instanceof tf.Tensor ? values : tf.tensor(values);
  return given.dtype === 'float32' ? given : tf.cast(given, 'float32');
}
