// Opens the engine that BRINK_ENGINE names and prints, as JSON, what it is and how many GFLOP/s it reaches.
import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { graphsByDefault } from './graphs/recordedPasses.ts';
import { openEngine } from './openEngine.ts';

/** The best of five, after one to warm up: multiplications and additions a second, in 10⁹. */
function gigaflops(operations: number, compute: () => Tensor): number {
  const seconds = Array.from({ length: 6 }, () => {
    const start = performance.now();
    const result = compute();
    result.dataSync();
    result.dispose();
    return (performance.now() - start) / 1000;
  });
  return operations / Math.min(...seconds.slice(1)) / 1e9;
}

try {
  const { device, version, graphs: sessions } = await openEngine();
  const graphs = sessions !== null && graphsByDefault();
  const square: [number, number] = [768, 768];
  const a = tf.randomNormal(square);
  const b = tf.randomNormal(square);
  const images = tf.randomNormal([32, 32, 32, 32]) as tf.Tensor4D;
  const filter = tf.randomNormal([3, 3, 32, 64]) as tf.Tensor4D;
  const matMul = gigaflops(2 * 768 ** 3, () => tf.matMul(a, b));
  const conv2d = gigaflops(2 * images.size * 9 * 64, () => tf.conv2d(images, filter, 1, 'same'));
  process.stdout.write(JSON.stringify({ device, version, graphs, gigaflops: { matMul, conv2d } }));
} catch (error) {
  process.stderr.write((error as Error).message);
  process.exitCode = 1;
}
