import type { TensorInfo } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { convolutionInfo } from './convolutionInfo.ts';
import { nativeOperation } from './nativeOperation.ts';
import { type Attributes, registerKernel } from './register.ts';

/** Convolution and its two derivatives with any padding: TensorFlow has them, its binding refuses padding by numbers. */
export function installNativeConvolution(): void {
  registerKernel('Conv2D', 'tensorflow', ({ x, filter }, attributes, backend) =>
    convolve('Conv2D', x!.shape, filter!.shape, attributes, [x!, filter!], backend),
  );
  registerKernel('Conv2DBackpropInput', 'tensorflow', ({ dy, filter }, attributes, backend) =>
    withSizes(attributes.inputShape, (sizes) =>
      convolve('Conv2DBackpropInput', attributes.inputShape, filter!.shape, attributes, [sizes, filter!, dy!], backend),
    ),
  );
  registerKernel('Conv2DBackpropFilter', 'tensorflow', ({ x, dy }, attributes, backend) =>
    withSizes(attributes.filterShape, (sizes) =>
      convolve('Conv2DBackpropFilter', x!.shape, attributes.filterShape, attributes, [x!, sizes, dy!], backend),
    ),
  );
}

function convolve(
  name: string,
  inputShape: readonly number[],
  filterShape: readonly number[],
  attributes: Attributes,
  inputs: readonly TensorInfo[],
  backend: object,
): TensorInfo {
  const info = convolutionInfo(inputShape, filterShape, attributes);
  const { type, top, bottom, left, right } = info.padInfo;
  const named = type === 'SAME' || type === 'VALID';
  return nativeOperation(
    backend,
    name,
    { T: 'float32' },
    {
      strides: [1, info.strideHeight, info.strideWidth, 1],
      dilations: [1, info.dilationHeight, info.dilationWidth, 1],
      padding: named ? type : 'EXPLICIT',
      ...(!named && { explicit_paddings: [0, 0, top, bottom, left, right, 0, 0] }),
      data_format: 'NHWC',
    },
    inputs,
  );
}

/** Hands a shape over as a tensor. */
function withSizes(shape: number[], use: (sizes: TensorInfo) => TensorInfo): TensorInfo {
  const sizes = tf.tensor1d(shape, 'int32');
  const output = use(sizes);
  sizes.dispose();
  return output;
}
