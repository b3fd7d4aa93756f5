import type { Tensor4D, TensorInfo } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { convolutionInfo } from './convolutionInfo.ts';
import { installNativeConvolution } from './nativeConvolution.ts';
import { type Attributes, isLoaded, registerGradient, registerKernel, runKernel } from './register.ts';
import { wasmInputGradient } from './wasmInputGradient.ts';

/** Images of the batch that one filter gradient sums at once: bounds what WebAssembly holds. */
const IMAGES = 64;

/**
 * Derivatives of conv2d to second order, on WebAssembly too.
 *
 * y = conv(x, w) is bilinear. TensorFlow.js knows conv's derivative and that of the input gradient, but not that of the
 * filter gradient dw = F(x, dy), which is bilinear as well: ∂⟨F, c⟩/∂x is the input gradient with filter c, ∂⟨F, c⟩/∂dy = conv(x, c).
 * WebAssembly has no kernel for F, and a naive loop for the input gradient: both are written as convolutions there.
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
  if (!isLoaded('wasm')) return;

  registerKernel('Conv2DBackpropFilter', 'wasm', ({ x, dy }, attributes) =>
    filterGradient(asTensor(x!), asTensor(dy!), attributes),
  );

  registerKernel('Conv2DBackpropInput', 'wasm', ({ dy, filter }, attributes, backend) =>
    wasmInputGradient(asTensor(dy!), asTensor(filter!), attributes, backend),
  );
}

/**
 * The filter gradient as a convolution: channels are the images, images the channels, dy is the filter, spread by the stride.
 */
function filterGradient(x: Tensor4D, dy: Tensor4D, attributes: Attributes): TensorInfo {
  const shape = attributes.filterShape as [number, number, number, number];
  const info = convolutionInfo(x.shape, shape, attributes);
  const [height, width, inputs, outputs] = shape;
  const strides: [number, number] = [info.strideHeight, info.strideWidth];
  const { top, left } = info.padInfo;
  const bottom = Math.max(0, (info.outHeight - 1) * strides[0] + height - info.inHeight - top);
  const right = Math.max(0, (info.outWidth - 1) * strides[1] + width - info.inWidth - left);
  return tf.tidy(() => {
    let sum: Tensor4D | undefined;
    for (let n = 0; n < x.shape[0]; n += IMAGES) {
      const some = <T extends Tensor4D>(t: T) => tf.slice(t, n, Math.min(IMAGES, t.shape[0] - n));
      const images = tf.transpose(some(x), [3, 1, 2, 0]);
      const filter = tf.transpose(some(dy), [1, 2, 0, 3]);
      const pad: [[number, number], [number, number], [number, number], [number, number]] = [
        [0, 0],
        [top, bottom],
        [left, right],
        [0, 0],
      ];
      const out = tf.conv2d(images, filter, 1, pad, 'NHWC', strides);
      const part = tf.transpose(
        tf.slice(out, [0, 0, 0, 0], [inputs, height, width, outputs]),
        [1, 2, 0, 3],
      ) as Tensor4D;
      sum = sum === undefined ? part : tf.add(sum, part);
    }
    return sum!;
  });
}

/** The tensor that a kernel got, for use in operations: inside kernels TensorFlow.js hands over tensors, typed as their description. */
const asTensor = (info: TensorInfo): Tensor4D => info as Tensor4D;
