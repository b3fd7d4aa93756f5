import * as tf from '@tensorflow/tfjs';
import type { KernelTable } from '../Kernel.ts';
import { cumsum } from './cumsum.ts';
import { elementaryKernels } from './elementary.ts';
import { entrywise } from './entrywise.ts';
import { filterGradient } from './filterGradient.ts';
import { gatherAdjoint } from './gatherAdjoint.ts';
import { poolingKernels } from './poolingKernels.ts';
import { sumAlong } from './sumAlong.ts';
import { tile } from './tile.ts';

/** What TensorFlow.js's WebGPU backend lacks, has wrong or does slowly. */
export const webgpuKernels = {
  ReluMask: ({ dy }, { y }, backend) =>
    entrywise(backend, {
      name: 'reluMask',
      inputs: { dy: dy!, y },
      shape: dy!.shape,
      code: 'return select(0.0, f32(dy[index]), y[index] > 0.0);',
    }),
  TanhGrad: ({ dy }, { y }, backend) =>
    entrywise(backend, {
      name: 'tanhGrad',
      inputs: { dy: dy!, y },
      shape: dy!.shape,
      code: 'return (1.0 - y[index] * y[index]) * f32(dy[index]);',
    }),
  Sum: sumAlong(false),
  Mean: sumAlong(true),
  Cumsum: cumsum,
  Tile: tile,
  // TensorFlow.js's takes WGSL's own exp.
  Softmax: ({ logits }, { dim }) =>
    tf.tidy(() => {
      const shares = tf.exp(tf.sub(logits!, tf.max(logits!, dim, true)));
      return tf.div(shares, tf.sum(shares, dim, true));
    }),
  GatherAdjoint: gatherAdjoint,
  Conv2DBackpropFilter: filterGradient,
  ...elementaryKernels,
  ...poolingKernels,
} as const satisfies KernelTable;
