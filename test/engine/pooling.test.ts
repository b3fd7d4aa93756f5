import type { Tensor, Tensor4D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { type EngineName, openEngine } from '../../src/engine/openEngine.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { scoped } from '../helpers/scoped.ts';

beforeAll(async () => {
  await openEngine((process.env.BRINK_ENGINE ?? 'wasm') as EngineName);
});

const INPUT: [number, number, number, number] = [2, 8, 7, 3];
const SIZE = INPUT.reduce((a, b) => a * b, 1);
const numbers = (count: number, seed: number) => Float32Array.from(normals(generator(seed), count));

/** For each output: the places of its window's entries, row by row. */
function windows(size: number, stride: number, pad: 'same' | 'valid'): { shape: number[]; entries: number[][] } {
  const [count, height, width, channels] = INPUT;
  const out = [height, width].map((n) =>
    pad === 'same' ? Math.ceil(n / stride) : Math.floor((n - size) / stride) + 1,
  );
  const before = [height, width].map((n, d) =>
    pad === 'same' ? Math.floor(Math.max(0, (out[d]! - 1) * stride + size - n) / 2) : 0,
  );
  const entries: number[][] = [];
  for (let n = 0; n < count; n++)
    for (let i = 0; i < out[0]!; i++)
      for (let j = 0; j < out[1]!; j++)
        for (let c = 0; c < channels; c++) {
          const places: number[] = [];
          for (let r = 0; r < size; r++)
            for (let s = 0; s < size; s++) {
              const [h, w] = [i * stride + r - before[0]!, j * stride + s - before[1]!];
              if (h >= 0 && h < height && w >= 0 && w < width)
                places.push(((n * height + h) * width + w) * channels + c);
            }
          entries.push(places);
        }
  return { shape: [count, out[0]!, out[1]!, channels], entries };
}

const close = (truth: number[]) => truth.map((t) => expect.closeTo(t, 4));

it.each(
  ([1, 2, 3] as const).flatMap((stride) =>
    ([1, 2, 3, 4] as const).flatMap((size) => (['same', 'valid'] as const).map((pad) => ({ size, stride, pad }))),
  ),
)(
  'pooling of size $size, stride $stride, padding $pad, and its gradient follow the definition',
  async ({ size, stride, pad }) => {
    await scoped(async () => {
      // All below zero: an engine that starts its maximum at zero would show.
      const x = numbers(SIZE, 1).map((v) => v - 10);
      const { shape, entries } = windows(size, stride, pad);
      const dy = numbers(entries.length, 2);
      const image = tf.tensor(x, INPUT) as Tensor4D;
      const seed = tf.tensor(dy, shape);
      const largest = entries.map((places) => places.reduce((best, p) => (x[p]! > x[best]! ? p : best)));

      const max = (t: Tensor) => tf.maxPool(t as Tensor4D, size, stride, pad);
      expect(max(image).shape).toEqual(shape);
      expect([...(await max(image).data())]).toEqual(close(largest.map((p) => x[p]!)));
      const dMax = new Array<number>(SIZE).fill(0);
      largest.forEach((p, k) => {
        dMax[p]! += dy[k]!;
      });
      expect([...(await tf.grad(max)(image, seed).data())]).toEqual(close(dMax));

      const average = (t: Tensor) => tf.avgPool(t as Tensor4D, size, stride, pad);
      const means = entries.map((places) => places.reduce((sum, p) => sum + x[p]!, 0) / places.length);
      expect([...(await average(image).data())]).toEqual(close(means));
      const dAverage = new Array<number>(SIZE).fill(0);
      entries.forEach((places, k) => {
        for (const p of places) dAverage[p]! += dy[k]! / places.length;
      });
      expect([...(await tf.grad(average)(image, seed).data())]).toEqual(close(dAverage));
    });
  },
);
