import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import type { Loss } from '../Loss.ts';
import type { Model } from '../Model.ts';

/** A chunk's outputs [B, outputs], and ℓ_i + R(θ) [B]. */
export function exampleLosses(model: Model, loss: Loss, theta: readonly Tensor[], inputs: Tensor, targets: Tensor) {
  const outputs = model.forward(theta, inputs);
  const own = loss.perExample(outputs, targets);
  const penalty = model.penalty?.(theta);
  return { outputs, losses: penalty ? tf.add(own, penalty) : own };
}
