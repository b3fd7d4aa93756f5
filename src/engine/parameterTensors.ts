import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { sizeOf } from '../core/Parameters.ts';
import type { Model } from './Model.ts';

/** Puts a flat θ on the device, one tensor a parameter. */
export function parameterTensors({ parameters }: Pick<Model, 'parameters'>, flat: Float32Array): Tensor[] {
  let offset = 0;
  return parameters.map((parameter) => {
    const length = sizeOf(parameter);
    offset += length;
    return tf.tensor(flat.slice(offset - length, offset), [...parameter.shape]);
  });
}
