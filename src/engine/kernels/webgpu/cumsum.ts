import * as tf from '@tensorflow/tfjs-core';
import type { Kernel } from '../Kernel.ts';
import { entrywise } from './entrywise.ts';

/**
 * A running sum, each entry by itself.
 *
 * TensorFlow.js's program has the length of the axis in its code, and is found again by a key without it: sums along an
 * axis of another length are wrong.
 */
export const cumsum: Kernel = ({ x }, { axis, exclusive, reverse }, backend) => {
  const { shape } = x!;
  const [at = 0] = tf.util.parseAxisParam(axis, shape);
  const inner = shape.slice(at + 1).reduce((product, length) => product * length, 1);
  const numbers = { inner, total: shape[at] ?? 1, skipped: exclusive ? 1 : 0, reverse: reverse ? 1 : 0 };
  return entrywise(backend, {
    name: 'cumsum',
    inputs: { x: x! },
    shape,
    dtype: x!.dtype,
    numbers,
    code: `
      let own = (index / uniforms.inner) % uniforms.total;
      let start = index - own * uniforms.inner;
      var first = 0;
      var end = own + 1 - uniforms.skipped;
      if (uniforms.reverse == 1) {
        first = own + uniforms.skipped;
        end = uniforms.total;
      }
      var sum = 0.0;
      for (var k = first; k < end; k++) { sum += f32(x[start + k * uniforms.inner]); }
      return sum;`,
  });
};
