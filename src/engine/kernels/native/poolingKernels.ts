import type { Tensor, Tensor4D, TensorInfo } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import type { Attributes, KernelTable } from '../Kernel.ts';
import { type PoolInfo, poolInfo } from '../poolInfo.ts';
import { poolingKernels as portable } from '../portable/poolingKernels.ts';
import { nativeOperation } from './nativeOperation.ts';

/**
 * The derivatives of pooling by TensorFlow's own kernels, on CUDA too.
 *
 * Which of several equal entries counts is up to MaxPoolGrad, which differs between devices. Gathering is therefore
 * derived from it where windows do not overlap: what it does to ones is the mask, and a window's sum of mask · c the
 * entry. TensorFlow pools with 'same' and 'valid' alone; where the padding is given in numbers the portable kernels
 * serve.
 */
export const poolingKernels = {
  MaxPoolScatter: ({ dy }, { x, y, ...attributes }, backend) =>
    byNumbers(attributes)
      ? portable.MaxPoolScatter({ dy: dy! }, { x, y, ...attributes })
      : pool(backend, 'MaxPoolGrad', poolInfo(x.shape, attributes), [x, y, dy!]),
  MaxPoolGather: ({ c }, { x, y, ...attributes }, backend) => {
    if (byNumbers(attributes)) return portable.MaxPoolGather({ c: c! }, { x, y, ...attributes });
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
    if (byNumbers(attributes)) return portable.AvgPoolSpread({ dy: dy! }, { inputShape, ...attributes });
    const sizes = tf.tensor1d(inputShape, 'int32');
    const output = pool(backend, 'AvgPoolGrad', poolInfo(inputShape, attributes), [sizes, dy!]);
    sizes.dispose();
    return output;
  },
} as const satisfies KernelTable;

const byNumbers = ({ pad }: Attributes): boolean => typeof pad !== 'string';

/** Whether windows share entries, or reach beyond the image. */
function overlaps({ padInfo, strideHeight, strideWidth, filterHeight, filterWidth }: PoolInfo): boolean {
  const padded = padInfo.top + padInfo.bottom + padInfo.left + padInfo.right > 0;
  return padded || strideHeight < filterHeight || strideWidth < filterWidth;
}

function pool(backend: object, name: string, info: PoolInfo, inputs: readonly TensorInfo[]): TensorInfo {
  return nativeOperation(
    backend,
    name,
    { T: 'float32' },
    {
      ksize: [1, info.filterHeight, info.filterWidth, 1],
      strides: [1, info.strideHeight, info.strideWidth, 1],
      padding: info.padInfo.type,
      data_format: 'NHWC',
    },
    inputs,
  );
}
