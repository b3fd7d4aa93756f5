import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { type EngineName, openEngine } from '../../src/engine/openEngine.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { scoped } from '../helpers/scoped.ts';

const asked = (process.env.BRINK_ENGINE ?? 'wasm') as EngineName;
/** WebAssembly's sums are accumulated in float64, TensorFlow's in float32. */
const TOLERANCE = asked === 'wasm' ? 1e-6 : 1e-5;

beforeAll(async () => {
  await openEngine(asked);
});

const randn = (shape: readonly number[], seed: number) =>
  Float32Array.from(
    normals(
      generator(seed),
      shape.reduce((a, b) => a * b, 1),
    ),
  );

it.each([[[5, 8]], [[3, 7]], [[2, 3, 5, 12]], [[70, 40, 64]], [[4]]])(
  'sums and means of %j over all axes but the last add its columns',
  async (shape) => {
    await scoped(async () => {
      const values = randn(shape, 1);
      const columns = shape.at(-1)!;
      const rows = values.length / columns;
      const truth = new Float64Array(columns);
      values.forEach((x, i) => {
        truth[i % columns]! += x;
      });
      const axes = shape.map((_, i) => i).slice(0, -1);
      const x = tf.tensor(values, shape);
      const close = async (actual: Tensor, scale: number) =>
        (await actual.data()).forEach((y, k) => {
          expect(Math.abs(y - truth[k]! * scale)).toBeLessThan(TOLERANCE * Math.sqrt(rows) * scale);
        });
      await close(tf.sum(x, axes), 1);
      await close(tf.mean(x, axes, true), 1 / rows);
    });
  },
);

it.each([[[8]], [[3, 7]], [[70, 40, 64]]])(
  'relu lets the gradient of %j through where x > 0, and nowhere else',
  async (shape) => {
    await scoped(async () => {
      const [x, dy] = [randn(shape, 1), randn(shape, 2)];
      x[0] = 0;
      const dx = tf.grad((a: Tensor) => tf.relu(a))(tf.tensor(x, shape), tf.tensor(dy, shape));
      // Not −0.
      expect([...(await dx.data()).map((d) => d + 0)]).toEqual([...dy.map((d, i) => (x[i]! > 0 ? d : 0))]);
    });
  },
);
