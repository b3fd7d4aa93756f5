// Opens the engine that BRINK_ENGINE names and prints, as JSON, what it is, how many GFLOP/s it reaches, and how long an
// exact product with the Hessian of cnn6 takes.
import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { arrays } from '../datasets/arrays.ts';
import { graphsByDefault } from '../engine/graphs/recordedPasses.ts';
import { openEngine } from '../engine/openEngine.ts';
import { empiricalRisk } from '../engine/risk/empiricalRisk.ts';
import { generator, normals } from '../linalg/random.ts';
import { crossEntropy } from '../losses/crossEntropy.ts';
import { cnn6 } from '../models/cnn6.ts';

const EXAMPLES = 64;

/** The best of some rounds, after one to warm up, in seconds. */
async function fastest(rounds: number, body: () => Promise<unknown>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round <= rounds; round++) {
    const start = performance.now();
    await body();
    if (round > 0) best = Math.min(best, (performance.now() - start) / 1000);
  }
  return best;
}

/** Multiplications and additions a second, in 10⁹. */
async function gigaflops(operations: number, compute: () => Tensor): Promise<number> {
  const seconds = await fastest(5, async () => {
    const result = compute();
    await result.data();
    result.dispose();
  });
  return operations / seconds / 1e9;
}

/** One product, at a θ of its own each time, so that nothing is kept from one to the next. */
async function product(): Promise<number> {
  const model = cnn6();
  const inputs = Float32Array.from(normals(generator(1), EXAMPLES * 32 * 32 * 3));
  const labels = Array.from({ length: EXAMPLES }, (_, i) => i % 10);
  const data = arrays({ inputShape: [32, 32, 3], classes: 10, inputs, labels });
  const objective = await empiricalRisk({ model, data, loss: crossEntropy });
  const v = Float32Array.from(normals(generator(2), objective.paramCount));
  let seed = 0;
  return 1000 * (await fastest(3, () => objective.at(objective.initialWeights(seed++)).hessianVector(v)));
}

try {
  const { device, version, graphs: sessions } = await openEngine();
  const graphs = sessions !== null && graphsByDefault();
  const square: [number, number] = [768, 768];
  const a = tf.randomNormal(square);
  const b = tf.randomNormal(square);
  const images = tf.randomNormal([32, 32, 32, 32]) as tf.Tensor4D;
  const filter = tf.randomNormal([3, 3, 32, 64]) as tf.Tensor4D;
  const matMul = await gigaflops(2 * 768 ** 3, () => tf.matMul(a, b));
  const conv2d = await gigaflops(2 * images.size * 9 * 64, () => tf.conv2d(images, filter, 1, 'same'));
  const milliseconds = await product();
  const found = { gigaflops: { matMul, conv2d }, product: { examples: EXAMPLES, milliseconds } };
  process.stdout.write(JSON.stringify({ device, version, graphs, ...found }));
} catch (error) {
  process.stderr.write((error as Error).message);
  process.exitCode = 1;
}
