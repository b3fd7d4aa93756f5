import type { Tensor4D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { runKernel } from '../kernels/runKernel.ts';
import type { DerivativeTable } from './Derivative.ts';
import { undilated } from './dilation.ts';

/**
 * Derivatives of conv2d to second order.
 *
 * y = conv(x, w) is bilinear. TensorFlow.js knows conv's derivative where there are no dilations, and that of the input
 * gradient, but not that of the filter gradient dw = F(x, dy), which is bilinear as well: ∂⟨F, c⟩/∂x is the input
 * gradient with filter c, and ∂⟨F, c⟩/∂dy = conv(x, c).
 */
export const convolution: DerivativeTable = {
  Conv2D: {
    inputs: ['x', 'filter'],
    gradient: (dy, [x, filter], attributes) => ({
      x: () => {
        const plain = undilated(x!, filter!.shape, dy, attributes);
        const inputs = { dy: plain.dy, filter: filter! };
        return plain.back(runKernel('Conv2DBackpropInput', inputs, { ...plain.attributes, inputShape: plain.x.shape }));
      },
      filter: () => {
        const plain = undilated(x!, filter!.shape, dy, attributes);
        const inputs = { x: plain.x, dy: plain.dy };
        return runKernel('Conv2DBackpropFilter', inputs, { ...plain.attributes, filterShape: filter!.shape });
      },
    }),
  },
  Conv2DBackpropFilter: {
    inputs: ['x', 'dy'],
    gradient: (c, [x, dy], { strides, pad, dataFormat, dimRoundingMode }) => ({
      x: () =>
        runKernel(
          'Conv2DBackpropInput',
          { dy: dy!, filter: c },
          { strides, pad, dataFormat, dimRoundingMode, inputShape: x!.shape },
        ),
      dy: () => tf.conv2d(x as Tensor4D, c as Tensor4D, strides, pad, dataFormat, 1, dimRoundingMode),
    }),
  },
};
