import * as tf from '@tensorflow/tfjs';
import { runKernel } from '../kernels/runKernel.ts';
import type { DerivativeTable } from './Derivative.ts';
import { undilated } from './dilation.ts';

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
    gradient: (dy, [x, filter], attributes) => {
      const [height, width, channels, multiplier] = filter!.shape as [number, number, number, number];
      const filterShape = [height, width, channels, channels * multiplier];
      const own = tf.reshape(tf.eye(channels), [channels, channels, 1]);
      return {
        x: () => {
          const between = tf.mul(tf.reshape(filter!, [height, width, channels, 1, multiplier]), own);
          const whole = tf.reshape(between, filterShape);
          const plain = undilated(x!, filterShape, dy, attributes);
          const inputs = { dy: plain.dy, filter: whole };
          return plain.back(
            runKernel('Conv2DBackpropInput', inputs, { ...plain.attributes, inputShape: plain.x.shape }),
          );
        },
        filter: () => {
          const plain = undilated(x!, filterShape, dy, attributes);
          const inputs = { x: plain.x, dy: plain.dy };
          const whole = runKernel('Conv2DBackpropFilter', inputs, { ...plain.attributes, filterShape });
          return tf.sum(tf.mul(tf.reshape(whole, [height, width, channels, channels, multiplier]), own), 3);
        },
      };
    },
  },
};
