import type { NamedTensorMap } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { BrinkError } from '../../core/errors.ts';

/** Kernels whose derivatives the tests compare with differences, to second order, on every engine. */
export const VERIFIED_KERNELS: ReadonlySet<string> = new Set([
  'Abs',
  'Add',
  'AvgPool',
  'AvgPoolSpread',
  'BatchMatMul',
  'BatchNorm',
  'BatchNormInput',
  'BatchNormScale',
  'BatchToSpaceND',
  'BiasAdd',
  'Cast',
  'ClipByValue',
  'Concat',
  'Conv2D',
  'Conv2DBackpropFilter',
  'Conv2DBackpropInput',
  'Cos',
  'Cumsum',
  'DepthwiseConv2dNative',
  'Einsum',
  'Elu',
  'Equal',
  'Erf',
  'Exp',
  'ExpandDims',
  'Expm1',
  'FusedBatchNorm',
  'GatherAdjoint',
  'GatherV2',
  'Greater',
  'GreaterEqual',
  'Identity',
  'LeakyRelu',
  'Less',
  'LessEqual',
  'Log',
  'Log1p',
  'LogicalAnd',
  'LogicalNot',
  'LogicalOr',
  'Max',
  'MaxPool',
  'MaxPoolScatter',
  'Maximum',
  'Mean',
  'Min',
  'Minimum',
  'Multiply',
  'Neg',
  'NotEqual',
  'OnesLike',
  'Pack',
  'PadV2',
  'Pow',
  'Prelu',
  'RealDiv',
  'Reciprocal',
  'Relu',
  'Relu6',
  'ReluMask',
  'Reshape',
  'ResizeBilinear',
  'ResizeNearestNeighbor',
  'Reverse',
  'Rsqrt',
  'Select',
  'Selu',
  'Sigmoid',
  'Sin',
  'Slice',
  'Softmax',
  'Softplus',
  'SpaceToBatchND',
  'SplitV',
  'Spread',
  'Sqrt',
  'Square',
  'SquaredDifference',
  'Step',
  'StopGradient',
  'Sub',
  'Sum',
  'Tanh',
  'TanhAgain',
  'TanhGrad',
  'Tile',
  'Transpose',
  'Unpack',
  'ZerosLike',
]);

/** What takes the place of TensorFlow.js's own functions that have such a gradient. */
const BY_HAND =
  ' (for tf.logSoftmax(z) tf.sub(z, tf.logSumExp(z, -1, true)), for tf.logSigmoid(z) tf.neg(tf.softplus(tf.neg(z))))';

/** One operation on the tape of a backward pass. */
interface TapeNode {
  readonly kernelName: string;
  readonly inputs: NamedTensorMap;
}

/**
 * The kernels on the tape of the gradient that is being taken; `null` stands for a gradient written by hand.
 *
 * A copy puts itself on the tape twice, once as Identity and once under the name of whatever called it with an input x;
 * a hand-written gradient (tf.customGrad) numbers its inputs.
 */
export function kernelsOnTape(): ReadonlySet<string | null> {
  const { activeTape } = (tf.engine() as unknown as { state: { activeTape: TapeNode[] | null } }).state;
  const kernels = new Set<string | null>();
  for (const { kernelName, inputs } of activeTape ?? []) {
    if (tf.getKernel(kernelName, tf.getBackend())) kernels.add(kernelName);
    else if (!('x' in inputs)) kernels.add(null);
  }
  return kernels;
}

/**
 * Refuses a computation under differentiation that used a kernel which the tests have not verified to second order: in
 * TensorFlow.js such a second derivative can be wrong by any amount without an error.
 *
 * Call it within the function whose gradient is taken, when all of it is on the tape.
 *
 * @throws BrinkError naming the kernel.
 */
export function requireVerifiedKernels(who: string): void {
  for (const kernel of kernelsOnTape()) {
    if (kernel !== null && VERIFIED_KERNELS.has(kernel)) continue;
    const what = kernel === null ? 'a gradient written by hand (tf.customGrad)' : `the operation ${kernel}`;
    throw new BrinkError(
      who,
      `${what} is not verified to second order. Its second derivative may be wrong without an error in ` +
        `TensorFlow.js; build the function from verified operations${kernel === null ? BY_HAND : ''}: ` +
        `${[...VERIFIED_KERNELS].join(', ')}.`,
    );
  }
}
