import type { Tensor, TensorInfo } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { hostBuffers } from '../kernels/hostBuffers.ts';
import { nativeOperation } from '../kernels/native/nativeOperation.ts';
import { stopGradient } from '../kernels/ops.ts';
import { BACKENDS, isLoaded, registerGradient, registerKernel, runKernel } from '../kernels/register.ts';

/**
 * Derivatives of sum, mean, max and min over axes.
 *
 * Sums spread dy over what they summed, by a kernel whose adjoint is the sum: TensorFlow.js multiplies with ones, and both
 * factors stay on the tape at full size. A maximum that several entries share divides dy among them; TensorFlow.js hands each
 * of them all of it.
 */
export function installReductions(): void {
  registerGradient('Sum', { inputs: ['x'] }, (dy, [x], { axis }) => ({ x: () => spread(dy, x!.shape, axis) }));
  registerGradient('Mean', { inputs: ['x'] }, (dy, [x], { axis }) => ({
    x: () => spread(tf.mul(dy, dy.size / x!.size), x!.shape, axis),
  }));
  registerGradient('Spread', {}, (c, _saved, { axes }) => ({ x: () => tf.sum(c, axes, true) }));

  for (const [name, extreme] of [
    ['Max', tf.max],
    ['Min', tf.min],
  ] as const) {
    registerGradient(name, { inputs: ['x'] }, (dy, [x], { reductionIndices, axis }) => ({
      x: () => {
        const axes = tf.util.parseAxisParam(reductionIndices ?? axis, x!.shape);
        const mask = tf.cast(tf.equal(x!, extreme(x!, axes, true)), 'float32');
        return tf.mul(tf.reshape(dy, kept(x!.shape, axes)), stopGradient(tf.div(mask, tf.sum(mask, axes, true))));
      },
    }));
  }

  for (const name of BACKENDS.filter(isLoaded)) {
    registerKernel('Spread', name, ({ x }, { shape }, backend) => {
      if (name === 'tensorflow') return spreadNatively(x!, shape, backend);
      const { make, read } = hostBuffers(name, backend);
      const output = make(shape);
      repeat(read(x!), x!.shape, read(output), shape);
      return output;
    });
  }
}

/** Every axis that was reduced, at length one. */
const kept = (shape: readonly number[], axes: readonly number[]) => shape.map((d, i) => (axes.includes(i) ? 1 : d));

/** dy, whose `axis` was summed away, over the shape from which it was summed. */
function spread(dy: Tensor, shape: number[], axis: number | number[]): Tensor {
  const axes = tf.util.parseAxisParam(axis, shape);
  return runKernel('Spread', { x: tf.reshape(dy, kept(shape, axes)) }, { shape, axes });
}

function spreadNatively(x: TensorInfo, shape: number[], backend: object): TensorInfo {
  const sizes = tf.tensor1d(shape, 'int32');
  const output = nativeOperation(backend, 'BroadcastTo', { T: 'float32', Tidx: 'int32' }, {}, [x, sizes]);
  sizes.dispose();
  return output;
}

/** Repeats `from` along each axis on which it has length one. */
function repeat(from: Float32Array, fromShape: readonly number[], to: Float32Array, toShape: readonly number[]): void {
  /** Writes what the axes from `axis` on hold to `at`, and says how much it is. */
  const fill = (axis: number, start: number, block: number, at: number): number => {
    if (axis === toShape.length) {
      to[at] = from[start]!;
      return 1;
    }
    const inner = block / fromShape[axis]!;
    if (fromShape[axis] === toShape[axis]) {
      let written = 0;
      if (axis === toShape.length - 1) {
        to.set(from.subarray(start, start + block), at);
        written = block;
      } else for (let k = 0; k < block / inner; k++) written += fill(axis + 1, start + k * inner, inner, at + written);
      return written;
    }
    const once = fill(axis + 1, start, inner, at);
    const all = once * toShape[axis]!;
    for (let done = once; done < all; done *= 2) to.copyWithin(at + done, at, at + Math.min(done, all - done));
    return all;
  };
  if (to.length > 0) fill(0, 0, from.length, 0);
}
