import type { Tensor, Tensor4D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import { fastest } from './fastest.ts';

/**
 * Multiplications and additions a second, in 10⁹, that the open engine reaches in a matrix product and a convolution.
 */
export async function gigaflops(): Promise<{ readonly matMul: number; readonly conv2d: number }> {
  const rate = async (operations: number, compute: () => Tensor) => {
    const seconds = await fastest(5, async () => {
      const result = compute();
      await result.data();
      result.dispose();
    });
    return operations / seconds / 1e9;
  };
  const [a, b] = [tf.randomNormal([768, 768]), tf.randomNormal([768, 768])];
  const images = tf.randomNormal([32, 32, 32, 32]) as Tensor4D;
  const filter = tf.randomNormal([3, 3, 32, 64]) as Tensor4D;
  const matMul = await rate(2 * 768 ** 3, () => tf.matMul(a, b));
  const conv2d = await rate(2 * images.size * 9 * 64, () => tf.conv2d(images, filter, 1, 'same'));
  tf.dispose([a, b, images, filter]);
  return { matMul, conv2d };
}
