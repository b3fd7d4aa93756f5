import type { Tensor, TensorInfo } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';

/** What a kernel returned, which on some backends is a tensor already. */
export const tensorOf = (info: TensorInfo): Tensor =>
  info instanceof tf.Tensor ? info : tf.engine().makeTensorFromTensorInfo(info);
