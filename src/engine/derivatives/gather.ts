import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { hostBuffers } from '../kernels/hostBuffers.ts';
import { BACKENDS, isLoaded, registerGradient, registerKernel, runKernel } from '../kernels/register.ts';

/**
 * The derivative of gather, which adds each row back to the place from which it was taken; its adjoint gathers again.
 *
 * TensorFlow.js writes it with a kernel that WebAssembly lacks.
 */
export function installGather(): void {
  registerGradient('GatherV2', { inputs: ['x', 'indices'] }, (dy, [x, indices], { axis, batchDims }) => {
    if (batchDims !== 0) {
      throw new Error(`gather: batchDims is ${batchDims}. It has a derivative for 0 only; gather without them.`);
    }
    const along = tf.util.parseAxisParam(axis, x!.shape)[0]!;
    return { x: () => runKernel('GatherAdjoint', { dy }, { indices, axis: along, shape: x!.shape }) };
  });
  registerGradient('GatherAdjoint', {}, (c, _saved, { indices, axis }) => ({ dy: () => tf.gather(c, indices, axis) }));

  for (const name of BACKENDS.filter(isLoaded)) {
    registerKernel('GatherAdjoint', name, ({ dy }, { indices, axis, shape }, backend) => {
      const count = (lengths: readonly number[]) => lengths.reduce((a, b) => a * b, 1);
      const [outer, inner] = [count(shape.slice(0, axis)), count(shape.slice(axis + 1))];
      if (name === 'tensorflow') {
        return tf.tidy(() => {
          const rows = tf.transpose(tf.reshape(dy as Tensor, [outer, indices.size, inner]), [1, 0, 2]);
          const sums = tf.unsortedSegmentSum(rows, tf.reshape(indices, [indices.size]), shape[axis]);
          return tf.reshape(tf.transpose(sums, [1, 0, 2]), shape);
        });
      }
      const { make, read } = hostBuffers(name, backend);
      const output = make(shape);
      const [to, from, places] = [read(output), read(dy!), read(indices)];
      let at = 0;
      for (let p = 0; p < outer; p++) {
        for (const place of places) {
          const start = (p * shape[axis] + place) * inner;
          for (let k = 0; k < inner; k++) to[start + k]! += from[at++]!;
        }
      }
      return output;
    });
  }
}
