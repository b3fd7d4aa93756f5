import * as tf from '@tensorflow/tfjs';
import type { KernelTable } from '../Kernel.ts';
import { axisFromTheEnd } from './axisFromTheEnd.ts';
import { batchNormKernels } from './batchNormKernels.ts';
import { convolutionKernels } from './convolutionKernels.ts';
import { einsum } from './einsum.ts';
import { gatherAdjoint } from './gatherAdjoint.ts';
import { keepNaN } from './keepNaN.ts';
import { matrixProduct } from './matrixProduct.ts';
import { avgPool, depthwiseConv2d, maxPool } from './numericPadding.ts';
import { poolingKernels } from './poolingKernels.ts';
import { reluMask } from './reluMask.ts';

/**
 * The kernels that brink adds to those of TensorFlow.js, in its operations: they run on any of its backends, and never
 * wait for a number to be read back.
 *
 * They say what each kernel is. A backend puts faster ones of the same names in their place.
 */
export const portableKernels = {
  /** x + b, of which a derivative needs neither term. */
  BiasAdd: ({ x, b }) => tf.add(x!, b!),
  /** x from an attribute: it is no input, so the tape does not connect what comes out to it. */
  StopGradient: (_inputs, { x }) => tf.clone(x),
  ReluMask: reluMask,
  /** (1 − y²) dy, the derivative of y = tanh x. */
  TanhGrad: ({ dy }, { y }) => tf.tidy(() => tf.mul(tf.sub(1, tf.square(y)), dy!)),
  /** y = tanh x, which is known, as a function of x. */
  TanhAgain: (_inputs, { y }) => tf.clone(y),
  /** x over a shape that is longer along axes on which x has length one: the adjoint of a sum over them. */
  Spread: ({ x }, { shape }) =>
    tf.tile(
      x!,
      x!.shape.map((length, axis) => (length === shape[axis] ? 1 : shape[axis])),
    ),
  GatherAdjoint: gatherAdjoint,
  Cumsum: axisFromTheEnd,
  Cumprod: axisFromTheEnd,
  GatherV2: axisFromTheEnd,
  MaxPool: keepNaN(maxPool),
  AvgPool: avgPool,
  DepthwiseConv2dNative: depthwiseConv2d,
  // TensorFlow.js's own take NaN for the lower end on some backends.
  Relu6: ({ x }) => tf.tidy(() => tf.minimum(tf.maximum(x!, 0), 6)),
  ClipByValue: ({ x }, { clipValueMin, clipValueMax }) =>
    tf.tidy(() => tf.minimum(tf.maximum(x!, clipValueMin), clipValueMax)),
  Einsum: einsum,
  BatchMatMul: matrixProduct,
  ...batchNormKernels,
  ...convolutionKernels,
  ...poolingKernels,
} as const satisfies KernelTable;
