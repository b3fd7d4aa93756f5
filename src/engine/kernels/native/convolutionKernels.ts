import type { Tensor, TensorInfo } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { convolutionInfo } from '../convolutionInfo.ts';
import type { Attributes, KernelTable } from '../Kernel.ts';
import { tensorOf } from '../portable/tensorOf.ts';
import { windowMargins } from '../windowMargins.ts';
import { windowPixels } from '../windowPixels.ts';
import { nativeOperation } from './nativeOperation.ts';

/** Convolution and its two derivatives: TensorFlow pads by any numbers, its binding for TensorFlow.js does not. */
export const convolutionKernels = {
  Conv2D: ({ x, filter }, attributes, backend) => {
    const info = convolutionInfo(x!.shape, filter!.shape, attributes);
    return info.outWidth === 1 && info.strideWidth > 1 && info.padInfo.left < info.filterWidth
      ? oneColumn(x!, filter!, info, attributes, backend)
      : convolve('Conv2D', x!.shape, filter!.shape, attributes, [x!, filter!], backend);
  },
  Conv2DBackpropInput: ({ dy, filter }, attributes, backend) =>
    withSizes(attributes.inputShape, (sizes) =>
      convolve('Conv2DBackpropInput', attributes.inputShape, filter!.shape, attributes, [sizes, filter!, dy!], backend),
    ),
  Conv2DBackpropFilter: ({ x, dy }, attributes, backend) =>
    readsSinglePixels(x!, attributes)
      ? singlePixelGradient(x!, dy!, attributes)
      : withSizes(attributes.filterShape, (sizes) =>
          convolve('Conv2DBackpropFilter', x!.shape, attributes.filterShape, attributes, [x!, sizes, dy!], backend),
        ),
} as const satisfies KernelTable;

/**
 * A convolution whose windows stand in one column, by the columns of x that they meet, without the stride from column
 * to column, which means nothing then: with it, one channel and no stride from row to row oneDNN's own reads beyond its
 * memory.
 */
function oneColumn(
  x: Tensor,
  filter: Tensor,
  info: ReturnType<typeof convolutionInfo>,
  attributes: Attributes,
  backend: object,
): TensorInfo {
  const [above, below, left] = reach(info);
  const width = Math.min(info.inWidth, info.effectiveFilterWidth - left);
  return tf.tidy(() => {
    const met = tf.slice(x, [0, 0, 0, 0], [info.batchSize, info.inHeight, width, info.inChannels]);
    const right = info.effectiveFilterWidth - left - width;
    const plain = {
      ...attributes,
      ...{ strides: [info.strideHeight, 1], dimRoundingMode: undefined },
      pad: [
        [0, 0],
        [above, below],
        [left, right],
        [0, 0],
      ],
    };
    return tensorOf(convolve('Conv2D', met.shape, filter.shape, plain, [met, filter], backend));
  });
}

/** Whether a filter of one pixel strides over others. */
function readsSinglePixels(x: TensorInfo, attributes: Attributes): boolean {
  const info = convolutionInfo(x.shape, attributes.filterShape, attributes);
  return info.filterHeight === 1 && info.filterWidth === 1 && (info.strideHeight > 1 || info.strideWidth > 1);
}

/**
 * The gradient of such a filter as a matrix product: pixelsᵀ dy, [C, pixels] × [pixels, K].
 *
 * oneDNN's own kernel, where there are few channels, writes beyond its memory, waits for ever or gives wrong numbers,
 * by processor (its issue 6035).
 */
function singlePixelGradient(x: Tensor, dy: Tensor, attributes: Attributes): Tensor {
  const info = convolutionInfo(x.shape, attributes.filterShape, attributes);
  return tf.tidy(() => {
    const pixels = windowPixels(x, info)(0, 0).reshape([-1, info.inChannels]);
    const gradient = tf.matMul(pixels, dy.reshape([-1, info.outChannels]), true);
    return gradient.reshape(attributes.filterShape);
  });
}

/** What is padded above, below, left and right: as much as the windows reach over, where their number is rounded up. */
function reach(info: ReturnType<typeof convolutionInfo>): [number, number, number, number] {
  const { bottom, right } = info.padInfo;
  const { rows, columns } = windowMargins(info);
  return [rows[0], Math.max(bottom, rows[1]), columns[0], Math.max(right, columns[1])];
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
  const sides = reach(info);
  const named = typeof attributes.pad === 'string' || sides.every((side) => side === 0);
  return nativeOperation(
    backend,
    name,
    { T: 'float32' },
    {
      strides: [1, info.strideHeight, info.strideWidth, 1],
      dilations: [1, info.dilationHeight, info.dilationWidth, 1],
      padding: named ? info.padInfo.type : 'EXPLICIT',
      ...(!named && { explicit_paddings: [0, 0, ...sides, 0, 0] }),
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
