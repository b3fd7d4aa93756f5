import type { Tensor, Tensor4D, TensorInfo } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { KernelTable } from '../Kernel.ts';
import { type PoolInfo, poolInfo } from '../poolInfo.ts';
import { nativeOperation } from './nativeOperation.ts';

/**
 * The derivatives of pooling by TensorFlow's own kernels, on CUDA too.
 *
 * Which of several equal entries counts is up to MaxPoolGrad, which differs between devices. Gathering is therefore
 * derived from it where windows do not overlap: what it does to ones is the mask, and a window's sum of mask · c the
 * entry.
 */
export const poolingKernels = {
  MaxPoolScatter: ({ dy }, { x, y, ...attributes }, backend) =>
    pool(backend, 'MaxPoolGrad', poolInfo(x.shape, attributes), [x, y, dy!]),
  MaxPoolGather: ({ c }, { x, y, ...attributes }, backend) => {
    const info = poolInfo(x.shape, attributes);
    if (overlaps(info)) return pool(backend, 'MaxPoolGradGrad', info, [x, y, c!]);
    return tf.tidy(() => {
      const mask = pool(backend, 'MaxPoolGrad', info, [x, y, tf.ones(y.shape)]) as Tensor;
      const averages = tf.avgPool(
        tf.mul<Tensor4D>(mask, c!),
        attributes.filterSize,
        attributes.strides,
        attributes.pad,
      );
      return tf.mul(averages, info.filterHeight * info.filterWidth);
    });
  },
  AvgPoolSpread: ({ dy }, { inputShape, ...attributes }, backend) => {
    const sizes = tf.tensor1d(inputShape, 'int32');
    const output = pool(backend, 'AvgPoolGrad', poolInfo(inputShape, attributes), [sizes, dy!]);
    sizes.dispose();
    return output;
  },
} as const satisfies KernelTable;

/** Whether windows share entries, or reach beyond the image. */
function overlaps({ padInfo, strideHeight, strideWidth, filterHeight, filterWidth }: PoolInfo): boolean {
  const padded = padInfo.top + padInfo.bottom + padInfo.left + padInfo.right > 0;
  return padded || strideHeight < filterHeight || strideWidth < filterWidth;
}

function pool(backend: object, name: string, info: PoolInfo, inputs: readonly TensorInfo[]): TensorInfo {
  const { type } = info.padInfo;
  if (type !== 'SAME' && type !== 'VALID') {
    throw new Error(
      `${name}: the padding is given in numbers. TensorFlow pools with 'same' and 'valid' only; pad before.`,
    );
  }
  return nativeOperation(
    backend,
    name,
    { T: 'float32' },
    {
      ksize: [1, info.filterHeight, info.filterWidth, 1],
      strides: [1, info.strideHeight, info.strideWidth, 1],
      padding: type,
      data_format: 'NHWC',
    },
    inputs,
  );
}
