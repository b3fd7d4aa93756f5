import type { Tensor4D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { installNativeConvolution } from '../kernels/native/nativeConvolution.ts';
import { isLoaded, registerGradient, runKernel } from '../kernels/register.ts';
import { installWasmConvolution } from '../kernels/wasm/installWasmConvolution.ts';

/**
 * Derivatives of conv2d to second order.
 *
 * y = conv(x, w) is bilinear. TensorFlow.js knows conv's derivative and that of the input gradient, but not that of the
 * filter gradient dw = F(x, dy), which is bilinear as well: ∂⟨F, c⟩/∂x is the input gradient with filter c, ∂⟨F, c⟩/∂dy = conv(x, c).
 */
export function installConvolution(): void {
  registerGradient('Conv2DBackpropFilter', { inputs: ['x', 'dy'] }, (c, [x, dy], attributes) => {
    const { strides, pad, dataFormat, dimRoundingMode } = attributes;
    return {
      x: () =>
        runKernel(
          'Conv2DBackpropInput',
          { dy: dy!, filter: c },
          { strides, pad, dataFormat, dimRoundingMode, inputShape: x!.shape },
        ),
      dy: () => tf.conv2d(x as Tensor4D, c as Tensor4D, strides, pad, dataFormat, 1, dimRoundingMode),
    };
  });
  if (isLoaded('tensorflow')) installNativeConvolution();
  if (isLoaded('wasm')) installWasmConvolution();
}
