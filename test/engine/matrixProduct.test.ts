import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { type EngineName, openEngine } from '../../src/engine/openEngine.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { scoped } from '../helpers/scoped.ts';

beforeAll(async () => {
  await openEngine((process.env.BRINK_ENGINE ?? 'wasm') as EngineName);
});

interface Config {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  /** Batches of the two factors. */
  readonly batches?: readonly [number, number];
}

const CONFIGS: Config[] = [
  { rows: 1, inner: 1, columns: 1 },
  { rows: 3, inner: 5, columns: 7 },
  { rows: 4, inner: 6, columns: 8 },
  { rows: 70, inner: 9, columns: 10 },
  { rows: 64, inner: 300, columns: 104 },
  { rows: 6, inner: 4, columns: 5, batches: [3, 3] },
  { rows: 36, inner: 4, columns: 8, batches: [1, 3] },
  { rows: 5, inner: 3, columns: 2, batches: [2, 1] },
];
const TRANSPOSED = [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
] as const;

it.each(CONFIGS.flatMap((config) => TRANSPOSED.map(([a, b]) => ({ ...config, a, b }))))(
  'the product of $rows × $inner with $inner × $columns follows the definition; batches $batches, transposed: $a, $b',
  async ({ rows, inner, columns, batches = [1, 1], a: transposeA, b: transposeB }) => {
    const left = normals(generator(1), batches[0] * rows * inner);
    const right = normals(generator(2), batches[1] * inner * columns);
    const leftShape = [batches[0], ...(transposeA ? [inner, rows] : [rows, inner])];
    const rightShape = [batches[1], ...(transposeB ? [columns, inner] : [inner, columns])];
    await scoped(async () => {
      const product = tf.matMul(
        tf.tensor(Float32Array.from(left), leftShape),
        tf.tensor(Float32Array.from(right), rightShape),
        transposeA,
        transposeB,
      );
      const count = Math.max(...batches);
      expect(product.shape).toEqual([count, rows, columns]);
      const values = await product.data();
      let at = 0;
      for (let batch = 0; batch < count; batch++) {
        const l = (batch % batches[0]) * rows * inner;
        const r = (batch % batches[1]) * inner * columns;
        for (let i = 0; i < rows; i++) {
          for (let j = 0; j < columns; j++, at++) {
            let sum = 0;
            for (let k = 0; k < inner; k++) {
              sum +=
                left[l + (transposeA ? k * rows + i : i * inner + k)]! *
                right[r + (transposeB ? j * inner + k : k * columns + j)]!;
            }
            expect(Math.abs(values[at]! - sum)).toBeLessThan(1e-6 * (inner + 4));
          }
        }
      }
    });
  },
);

it('the same numbers are a right factor in two shapes', async () => {
  await scoped(async () => {
    const factor = tf.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
    expect([...(await tf.matMul(tf.ones([1, 2]), factor).data())]).toEqual([5, 7, 9]);
    expect([...(await tf.matMul(tf.ones([1, 3]), tf.reshape(factor, [3, 2])).data())]).toEqual([9, 12]);
  });
});

it.each<[number[], number[]]>([
  [
    [2, 1],
    [1, 3],
  ],
  [
    [2, 1],
    [2, 3],
  ],
  [[2, 3], [3]],
  [[3], [2, 3]],
  [
    [2, 3],
    [2, 1],
  ],
  [[2, 3], []],
  [[5, 1], []],
  [
    [5, 1],
    [1, 1],
  ],
  [[], [5, 1]],
  [[0], []],
])('batches %s by batches %s are broadcast', async (left, right) => {
  await scoped(async () => {
    const [aShape, bShape] = [
      [...left, 9, 3],
      [...right, 3, 7],
    ];
    const numbers = (shape: number[], seed: number) =>
      tf.tensor(Float32Array.from(normals(generator(seed), tf.util.sizeFromShape(shape))), shape);
    const [a, b] = [numbers(aShape, 1), numbers(bShape, 2)];
    const batches = tf.broadcast_util.assertAndGetBroadcastShape(left, right);
    const product = (x: tf.Tensor, y: tf.Tensor) => tf.matMul(x, y);
    /** Entry by entry: Σ over the middle axis of [… 9, 3, 1] · [… 1, 3, 7]. */
    const otherwise = (x: tf.Tensor, y: tf.Tensor) => tf.sum(tf.mul(tf.expandDims(x, -1), tf.expandDims(y, -3)), -2);
    // TensorFlow.js has no tensors without entries on a GPU.
    if (a.size === 0 && tf.getBackend() === 'webgpu') return;
    expect(product(a, b).shape).toEqual([...batches, 9, 7]);
    if (a.size === 0) return;
    const close = async (found: tf.Tensor, truth: tf.Tensor) => {
      const values = await truth.data();
      expect(found.shape).toEqual(truth.shape);
      expect(Array.from(await found.data())).toEqual(Array.from(values, (value) => expect.closeTo(value, 4)));
    };
    await close(product(a, b), otherwise(a, b));
    const [weights, v] = [numbers([...batches, 9, 7], 3), numbers(aShape, 4)];
    const loss = (f: typeof product) => (x: tf.Tensor, y: tf.Tensor) =>
      tf.sum(tf.mul(tf.square(f(x, y)), weights)) as tf.Scalar;
    const second = (f: typeof product) =>
      tf.grads((x: tf.Tensor, y: tf.Tensor) => tf.sum(tf.mul(tf.grads(loss(f))([x, y])[0]!, v)) as tf.Scalar)([a, b]);
    for (const take of [(f: typeof product) => tf.grads(loss(f))([a, b]), second]) {
      const [found, truth] = [take(product), take(otherwise)];
      await close(found[0]!, truth[0]!);
      await close(found[1]!, truth[1]!);
    }
  });
});

it('a sum over no entries is 0', async () => {
  if (tf.getBackend() === 'webgpu') return;
  await scoped(async () => {
    const product = tf.matMul(tf.zeros([3, 0]), tf.zeros([0, 2]));
    expect(product.shape).toEqual([3, 2]);
    expect([...(await product.data())]).toEqual([0, 0, 0, 0, 0, 0]);
  });
});
