import type { NamedAttrMap, Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import type { Attributes, Inputs } from './Kernel.ts';

/** Runs the open engine's kernel of this name; where derivatives are being recorded, it is recorded. */
export function runKernel(name: string, inputs: Inputs, attributes: Attributes = {}): Tensor {
  return tf.engine().runKernel(name, inputs, attributes as NamedAttrMap) as Tensor;
}
