import type { Tensor, Tensor4D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { BrinkError } from '../../core/errors.ts';
import { runKernel } from '../kernels/runKernel.ts';
import type { DerivativeTable } from './Derivative.ts';

/**
 * Derivatives of depthwise convolution, as those of the convolution with the filter [h, w, C, C·M] that is zero
 * between channels.
 *
 * TensorFlow.js has none of its backward pass. The way over all pairs of channels costs C times what it would have to,
 * in the backward passes alone.
 */
export const depthwise: DerivativeTable = {
  DepthwiseConv2dNative: {
    inputs: ['x', 'filter'],
    gradient: (dy, [x, filter], { strides, pad, dilations, dimRoundingMode }) => {
      const dilated = [dilations ?? 1].flat();
      if (dilated.some((dilation) => dilation !== 1)) {
        throw new BrinkError(
          'depthwiseConv2d',
          `dilations is ${dilated.join(' by ')}. Its derivatives are known for 1 alone; leave it out.`,
        );
      }
      const attributes = { strides, pad, dataFormat: 'NHWC', dimRoundingMode };
      const [height, width, channels, multiplier] = filter!.shape as [number, number, number, number];
      const own = tf.reshape(tf.eye(channels), [channels, channels, 1]);
      return {
        x: () => {
          const between = tf.mul(tf.reshape(filter!, [height, width, channels, 1, multiplier]), own);
          const whole = tf.reshape(between, [height, width, channels, channels * multiplier]);
          return runKernel(
            'Conv2DBackpropInput',
            { dy, filter: whole },
            { ...attributes, inputShape: x!.shape },
          ) as Tensor;
        },
        filter: () => {
          const filterShape = [height, width, channels, channels * multiplier];
          const whole = runKernel('Conv2DBackpropFilter', { x: x as Tensor4D, dy }, { ...attributes, filterShape });
          return tf.sum(tf.mul(tf.reshape(whole, [height, width, channels, channels, multiplier]), own), 3);
        },
      };
    },
  },
};
