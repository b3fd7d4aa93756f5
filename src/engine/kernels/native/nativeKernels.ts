import * as tf from '@tensorflow/tfjs';
import type { KernelTable } from '../Kernel.ts';
import { convolutionKernels } from './convolutionKernels.ts';
import { gatherAdjoint } from './gatherAdjoint.ts';
import { matrixProduct } from './matrixProduct.ts';
import { nativeOperation } from './nativeOperation.ts';
import { poolingKernels } from './poolingKernels.ts';

/** Kernels that TensorFlow has under names of its own, or that its binding for TensorFlow.js does not reach. */
export const nativeKernels = {
  ReluMask: ({ dy }, { y }, backend) => nativeOperation(backend, 'ReluGrad', { T: 'float32' }, {}, [dy!, y]),
  TanhGrad: ({ dy }, { y }, backend) => nativeOperation(backend, 'TanhGrad', { T: 'float32' }, {}, [y, dy!]),
  Spread: ({ x }, { shape }, backend) => {
    const sizes = tf.tensor1d(shape, 'int32');
    const output = nativeOperation(backend, 'BroadcastTo', { T: 'float32', Tidx: 'int32' }, {}, [x!, sizes]);
    sizes.dispose();
    return output;
  },
  GatherAdjoint: gatherAdjoint,
  BatchMatMul: matrixProduct,
  // TensorFlow.js leaves out the type that a graph asks for.
  ExpandDims: ({ input }, { dim }) =>
    tf.reshape(input!, input!.shape.toSpliced(dim < 0 ? dim + input!.rank + 1 : dim, 0, 1)),
  ...convolutionKernels,
  ...poolingKernels,
} as const satisfies KernelTable;
