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

type Padding = Parameters<typeof tf.maxPool>[3];
const explicit: Padding = [
  [0, 0],
  [1, 0],
  [0, 2],
  [0, 0],
];
const NUMERIC: { size: [number, number]; strides: [number, number]; pad: Padding; ceil?: boolean }[] = [
  { size: [3, 3], strides: [2, 2], pad: 1 },
  { size: [2, 3], strides: [3, 1], pad: 1 },
  { size: [3, 2], strides: [1, 2], pad: 0 },
  { size: [3, 2], strides: [2, 2], pad: 0, ceil: true },
  { size: [3, 3], strides: [2, 3], pad: 1, ceil: true },
  { size: [2, 3], strides: [2, 1], pad: explicit },
];

/** Rows, or columns, of the windows: which of the image each has, and −1 beyond it. */
function windowsAlong(length: number, axis: 0 | 1, { size, strides, pad, ceil }: (typeof NUMERIC)[number]): number[][] {
  const [before, after] = typeof pad === 'number' ? [pad, pad] : (pad as number[][])[axis + 1]!;
  const [reach, stride] = [size[axis], strides[axis]];
  const last = (length + before! + after! - reach) / stride;
  return Array.from({ length: (ceil ? Math.ceil(last) : Math.floor(last)) + 1 }, (_, i) =>
    Array.from({ length: reach }, (__, r) => i * stride + r - before!).map((p) => (p < length ? p : -1)),
  );
}

it.each(NUMERIC)(
  'windows of $size, strides $strides, padding $pad in numbers, number rounded up: $ceil, lie where it says',
  async (config) => {
    await scoped(async () => {
      const { size, strides, pad, ceil } = config;
      const [count, height, width, channels] = INPUT;
      const mode = ceil ? 'ceil' : undefined;
      const x = numbers(SIZE, 1);
      const filter = numbers(size[0] * size[1] * channels, 3);
      const [rows, columns] = [windowsAlong(height, 0, config), windowsAlong(width, 1, config)];
      const shape = [count, rows.length, columns.length, channels];
      const outputs = tf.util.sizeFromShape(shape);
      const dy = numbers(outputs, 2);
      const [most, means, sums] = [0, 0, 0].map(() => new Array<number>(outputs).fill(0)) as [
        number[],
        number[],
        number[],
      ];
      const [dMost, dMeans, dSums] = [0, 0, 0].map(() => new Array<number>(SIZE).fill(0)) as [
        number[],
        number[],
        number[],
      ];
      for (let at = 0; at < outputs; at++) {
        const c = at % channels;
        const j = Math.floor(at / channels) % columns.length;
        const i = Math.floor(at / channels / columns.length) % rows.length;
        const n = Math.floor(at / channels / columns.length / rows.length);
        const entries = rows[i]!.flatMap((h, r) =>
          columns[j]!.flatMap((w, s) =>
            h < 0 || w < 0
              ? []
              : [{ p: ((n * height + h) * width + w) * channels + c, q: (r * size[1] + s) * channels + c }],
          ),
        );
        const best = entries.reduce((a, b) => (x[b.p]! > x[a.p]! ? b : a)).p;
        most[at] = x[best]!;
        dMost[best]! += dy[at]!;
        for (const { p, q } of entries) {
          means[at]! += x[p]! / entries.length;
          dMeans[p]! += dy[at]! / entries.length;
          sums[at]! += x[p]! * filter[q]!;
          dSums[p]! += dy[at]! * filter[q]!;
        }
      }
      const image = tf.tensor(x, INPUT) as Tensor4D;
      const taps = tf.tensor(filter, [...size, channels, 1]) as Tensor4D;
      const operations: [(t: Tensor) => Tensor, number[], number[]][] = [
        [(t) => tf.maxPool(t as Tensor4D, size, strides, pad, mode), most, dMost],
        [(t) => tf.avgPool(t as Tensor4D, size, strides, pad, mode), means, dMeans],
        [(t) => tf.depthwiseConv2d(t as Tensor4D, taps, strides, pad as 'same', 'NHWC', 1, mode), sums, dSums],
        [
          (t) =>
            tf.conv2d(
              t as Tensor4D,
              tf.mul(taps, tf.eye(channels).reshape([1, 1, channels, channels])),
              strides,
              pad,
              'NHWC',
              1,
              mode,
            ),
          sums,
          dSums,
        ],
      ];
      for (const [operation, truth, derivative] of operations) {
        expect(operation(image).shape).toEqual(shape);
        expect([...(await operation(image).data())]).toEqual(close(truth));
        expect([...(await tf.grad(operation)(image, tf.tensor(dy, shape)).data())]).toEqual(close(derivative));
        // Each is linear, where the maxima stay: the derivative of ⟨dy, f⟩ in dy is f again.
        const adjoint = (d: Tensor) => tf.grad(operation)(image, d);
        const back = tf.grad((d) => tf.sum(tf.mul(adjoint(d), image)))(tf.tensor(dy, shape));
        expect([...(await back.data())]).toEqual(close(truth));
      }
    });
  },
);
