import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { arrays } from '../../src/datasets/arrays.ts';
import { biasAdd } from '../../src/engine/kernels/ops.ts';
import type { Model } from '../../src/engine/Model.ts';
import { type EngineName, openEngine } from '../../src/engine/openEngine.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { cnn } from '../../src/models/cnn.ts';
import { cnn6 } from '../../src/models/cnn6.ts';
import { mlp } from '../../src/models/mlp.ts';

beforeAll(async () => {
  await openEngine((process.env.BRINK_ENGINE ?? 'wasm') as EngineName);
});

const N = 7;

async function objectiveOf(model: Model, chunk: number) {
  const size = model.inputShape.reduce((a, b) => a * b, 1);
  const data = arrays({
    inputShape: model.inputShape,
    inputs: Float32Array.from({ length: N * size }, (_, k) => Math.sin(k * k + k)),
    labels: Array.from({ length: N }, (_, i) => i % 3),
    classes: 3,
  });
  return empiricalRisk({ model, data, loss: crossEntropy, chunk });
}

/** A model of one image [6, 5, 2] from a function. */
const image = (name: string, shapes: number[][], forward: Model['forward']): Model => ({
  name,
  config: {},
  inputShape: [6, 5, 2],
  outputCount: 3,
  parameters: shapes.map((shape, k) => ({
    name: `w${k}`,
    shape,
    initializer: { distribution: 'normal', scale: 0.5 },
  })),
  coupled: false,
  forward,
});
const mean = (x: Tensor) => tf.mean(x, [1, 2]);
const convolved = (stride: [number, number], pad: 'same' | 'valid' | number, filter: number[]) =>
  image(`conv ${filter} stride ${stride} pad ${pad}`, [filter, [filter[3]!]], ([w, b], x) =>
    mean(tf.square(biasAdd(tf.conv2d(x as Tensor4D, w as Tensor4D, stride, pad), b!))),
  );

const KNOWN: Model[] = [
  mlp({ inputs: 4, hidden: [5, 4], outputs: 3, activation: 'tanh' }),
  cnn({ inputShape: [8, 8, 3], outputs: 3 }),
  cnn6({ inputShape: [8, 8, 3], outputs: 3 }),
  convolved([1, 1], 'same', [3, 3, 2, 3]),
  convolved([2, 2], 'same', [4, 4, 2, 3]),
  convolved([2, 2], 'same', [3, 3, 2, 3]),
  convolved([2, 1], 'valid', [3, 2, 2, 3]),
  convolved([1, 2], 1, [2, 3, 2, 3]),
  image('scaled and shifted', [[1, 5, 1], [2], [2, 3]], ([scale, shift, w], x) =>
    tf.matMul(mean(tf.square(tf.add(tf.mul(x, scale!), shift!))) as Tensor2D, w as Tensor2D),
  ),
];

const UNKNOWN: Model[] = [
  image('a parameter used twice', [[2, 3]], ([w], x) =>
    tf.add(tf.matMul(mean(x) as Tensor2D, w as Tensor2D), tf.matMul(mean(tf.square(x)) as Tensor2D, w as Tensor2D)),
  ),
  image('a parameter behind another operation', [[3, 2]], ([w], x) =>
    tf.matMul(mean(x) as Tensor2D, tf.transpose(w!) as Tensor2D),
  ),
  image('a parameter that is the left factor', [[3, 2]], ([w], x) =>
    tf.transpose(tf.matMul(w as Tensor2D, tf.transpose(mean(x)) as Tensor2D)),
  ),
  image('a part of a parameter, without the first', [[2, 6]], ([w], x) =>
    tf.matMul(mean(x) as Tensor2D, tf.split(w!, 2, 1)[1] as Tensor2D),
  ),
  // [B·5, 6·2] rows: an example is five of them.
  image('rows that are not examples', [[12, 3]], ([w], x) =>
    tf.mean(tf.reshape(tf.matMul(tf.reshape(x, [-1, 12]), w as Tensor2D), [-1, 5, 3]), 1),
  ),
];

describe('the squared norms of per-example gradients', () => {
  it.each(KNOWN.map((model) => [model.name, model] as const))(
    'are those of single examples, in any chunk: %s',
    async (_, model) => {
      const objective = await objectiveOf(model, 3);
      expect(objective.exampleNorms).toBe(true);
      const theta = objective.initialWeights(5);
      const norms = await objective.at(theta).exampleNormsSquared();
      expect(norms).toHaveLength(N);
      for (let i = 0; i < N; i++) {
        const { gradient } = await objective.at(theta).batchGradient(Int32Array.of(i));
        const single = gradient.reduce((sum, g) => sum + g * g, 0);
        expect(Math.abs(norms[i]! - single), `example ${i}`).toBeLessThan(2e-5 * single);
      }
    },
  );

  it.each(UNKNOWN.map((model) => [model.name, model] as const))(
    'are refused, with the way out, for %s',
    async (_, model) => {
      const objective = await objectiveOf(model, 3);
      expect(objective.exampleNorms).toBe(false);
      await expect(objective.at(objective.initialWeights(0)).exampleNormsSquared()).rejects.toThrow(
        'empiricalRisk: the gradient norms of the single examples can not be had exactly',
      );
      // Nothing else is lost.
      await objective.at(objective.initialWeights(0)).hessianVector(new Float32Array(objective.paramCount));
    },
  );

  it('are refused where a rule would be wrong: an operation that mixes rows behind the last layer', async () => {
    // Rows trade places, so that the row of a delta is not the example's: found by comparison, not by the shape.
    const reversed = image('reversed rows', [[2, 3]], ([w], x) => {
      const rows = mean(x);
      const turned = tf.concat([tf.slice(rows, [1, 0]), tf.slice(rows, [0, 0], [1, 2])], 0);
      const z = tf.matMul(turned as Tensor2D, w as Tensor2D);
      const last = z.shape[0]! - 1;
      return tf.concat([tf.slice(z, [last, 0]), tf.slice(z, [0, 0], [last, 3])], 0);
    });
    expect((await objectiveOf(reversed, 3)).exampleNorms).toBe(false);
  });

  it('cost one gradient, once', async () => {
    const objective = await objectiveOf(KNOWN[0]!, N);
    const point = objective.at(objective.initialWeights(0));
    expect(await point.exampleNormsSquared()).toBe(await point.exampleNormsSquared());
    expect(objective.cost).toEqual({ forwards: 0, gradients: 1, products: 0 });
  });
});
