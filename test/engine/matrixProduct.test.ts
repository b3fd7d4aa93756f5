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
