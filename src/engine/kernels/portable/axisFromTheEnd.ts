import * as tf from '@tensorflow/tfjs';
import type { Kernel } from '../Kernel.ts';

/**
 * TensorFlow.js's kernel of an operation along one axis, which may be counted from the end: as −1 its kernels take it
 * for a place that there is not, and running sums and products have no entries then, without an error.
 */
export const axisFromTheEnd: Kernel = (inputs, attributes, backend, stock) => {
  const [axis] = tf.util.parseAxisParam(attributes.axis, inputs.x!.shape);
  return stock(inputs, { ...attributes, axis }, backend);
};
