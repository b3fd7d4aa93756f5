import type { Tensor, Tensor4D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { type EngineName, openEngine } from '../../src/engine/openEngine.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { scoped } from '../helpers/scoped.ts';

beforeAll(async () => {
  await openEngine((process.env.BRINK_ENGINE ?? 'wasm') as EngineName);
});

type Four = [number, number, number, number];
type Padding = 'same' | 'valid' | number | [[number, number], [number, number], [number, number], [number, number]];

interface Config {
  readonly input: Four;
  readonly kernel: [number, number];
  readonly strides: [number, number];
  readonly pad: Padding;
  /** Default 4. */
  readonly outputs?: number;
}

const explicit = (top: number, bottom: number, left: number, right: number): Padding => [
  [0, 0],
  [top, bottom],
  [left, right],
  [0, 0],
];
const CONFIGS: Config[] = [
  ...([1, 2, 3] as const).flatMap((stride) =>
    ([1, 2, 3, 4, 5, 7] as const).flatMap((size) =>
      (['same', 'valid'] as const).map(
        (pad): Config => ({ input: [3, 8, 9, 3], kernel: [size, size], strides: [stride, stride], pad }),
      ),
    ),
  ),
  { input: [2, 7, 10, 2], kernel: [3, 5], strides: [2, 1], pad: 'same' },
  { input: [2, 7, 10, 2], kernel: [5, 1], strides: [1, 3], pad: 'valid' },
  { input: [2, 6, 6, 3], kernel: [3, 3], strides: [1, 1], pad: 1 },
  { input: [2, 7, 6, 3], kernel: [3, 3], strides: [2, 2], pad: 2 },
  { input: [2, 6, 7, 3], kernel: [3, 3], strides: [2, 2], pad: explicit(1, 0, 2, 1) },
  { input: [2, 5, 5, 2], kernel: [2, 2], strides: [1, 1], pad: explicit(2, 3, 0, 2) },
  { input: [70, 4, 4, 2], kernel: [3, 3], strides: [1, 1], pad: 'same' },
  // Whole blocks of pixels and channels, and work enough for threads.
  ...([1, 2, 3, 4, 5] as const).flatMap((size) =>
    ([1, 2] as const).map(
      (stride): Config => ({
        input: [9, 16, 16, 8],
        kernel: [size, size],
        strides: [stride, stride],
        pad: 'same',
        outputs: 16,
      }),
    ),
  ),
  { input: [5, 8, 8, 8], kernel: [1, 1], strides: [1, 1], pad: 'valid', outputs: 8 },
  { input: [5, 9, 8, 8], kernel: [3, 1], strides: [2, 1], pad: 'valid', outputs: 24 },
  { input: [3, 8, 16, 8], kernel: [5, 3], strides: [2, 4], pad: explicit(4, 0, 3, 1), outputs: 8 },
  // Filters of one pixel that stride, with few channels: oneDNN's kernel for their gradient writes where it must not.
  { input: [9, 10, 20, 8], kernel: [1, 1], strides: [2, 2], pad: 'same', outputs: 16 },
  { input: [7, 12, 10, 5], kernel: [1, 1], strides: [1, 2], pad: 'valid', outputs: 2 },
  { input: [2, 6, 7, 3], kernel: [1, 1], strides: [2, 2], pad: 1 },
  { input: [3, 5, 9, 1], kernel: [1, 1], strides: [3, 2], pad: explicit(1, 2, 0, 3) },
  { input: [2, 5, 4, 12], kernel: [2, 3], strides: [1, 1], pad: explicit(0, 1, 0, 2), outputs: 9 },
  // Windows that see nothing but zeros, and images that no window sees.
  { input: [2, 6, 6, 3], kernel: [1, 1], strides: [1, 1], pad: 3 },
  { input: [2, 6, 8, 8], kernel: [2, 2], strides: [1, 1], pad: explicit(4, 3, 5, 0), outputs: 8 },
  { input: [2, 1, 1, 2], kernel: [2, 2], strides: [2, 2], pad: explicit(2, 0, 2, 0) },
  // One channel and one column of windows: oneDNN's kernel reads beside the image.
  { input: [4, 4, 3, 1], kernel: [2, 2], strides: [1, 3], pad: 'same' },
  { input: [4, 5, 4, 1], kernel: [3, 3], strides: [1, 3], pad: 'valid', outputs: 3 },
  { input: [3, 6, 3, 1], kernel: [2, 3], strides: [1, 2], pad: explicit(1, 1, 1, 0) },
  { input: [2, 3, 1, 1], kernel: [1, 3], strides: [1, 2], pad: 1, outputs: 2 },
];

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const randn = (shape: number[], seed: number) => Float32Array.from(normals(generator(seed), size(shape)));

/** Convolution and both derivatives by their definition, in double precision. */
function byDefinition(
  { input, kernel, strides, pad, outputs = 4 }: Config,
  x: Float32Array,
  w: Float32Array,
  dyOf: (shape: Four) => Float32Array,
) {
  const [count, height, width, channels] = input;
  const [before, out] = [height, width]
    .map((length, d) => along(length, kernel[d]!, strides[d]!, pad, d))
    .reduce<[number[], number[]]>(
      ([b, o], [p, n]) => [
        [...b, p],
        [...o, n],
      ],
      [[], []],
    );
  const shape: Four = [count, out[0]!, out[1]!, outputs];
  const dy = dyOf(shape);
  const y = new Float64Array(size(shape));
  const dx = new Float64Array(x.length);
  const dw = new Float64Array(w.length);
  let at = 0;
  for (let n = 0; n < count; n++)
    for (let i = 0; i < shape[1]; i++)
      for (let j = 0; j < shape[2]; j++)
        for (let k = 0; k < outputs; k++, at++)
          for (let r = 0; r < kernel[0]; r++)
            for (let s = 0; s < kernel[1]; s++) {
              const h = i * strides[0] + r - before[0]!;
              const v = j * strides[1] + s - before[1]!;
              if (h < 0 || h >= height || v < 0 || v >= width) continue;
              for (let c = 0; c < channels; c++) {
                const p = ((n * height + h) * width + v) * channels + c;
                const q = ((r * kernel[1] + s) * channels + c) * outputs + k;
                y[at]! += x[p]! * w[q]!;
                dx[p]! += dy[at]! * w[q]!;
                dw[q]! += dy[at]! * x[p]!;
              }
            }
  return { shape, y, dx, dw };
}

/** What is padded before the first entry, and the length of the output. */
function along(length: number, kernel: number, stride: number, pad: Padding, axis: number): [number, number] {
  if (pad === 'same') {
    const out = Math.ceil(length / stride);
    return [Math.floor(Math.max(0, (out - 1) * stride + kernel - length) / 2), out];
  }
  const [before, after] = pad === 'valid' ? [0, 0] : typeof pad === 'number' ? [pad, pad] : pad[axis + 1]!;
  return [before!, Math.floor((length + before! + after! - kernel) / stride) + 1];
}

async function expectClose(actual: Tensor, truth: Float64Array): Promise<void> {
  const values = await actual.data();
  const scale = Math.max(...truth.map(Math.abs));
  const error = truth.reduce((worst, t, k) => Math.max(worst, Math.abs(values[k]! - t)), 0);
  expect(values.length).toBe(truth.length);
  expect(error).toBeLessThanOrEqual(1e-5 * scale);
}

it.each(CONFIGS)(
  'convolution of $input with $kernel, strides $strides, padding $pad, and both its derivatives follow the definition',
  async (config) => {
    await scoped(async () => {
      const filterShape: Four = [...config.kernel, config.input[3], config.outputs ?? 4];
      const [x, w] = [randn(config.input, 1), randn(filterShape, 2)];
      let dy = new Float32Array();
      const truth = byDefinition(config, x, w, (shape) => {
        dy = randn(shape, 3);
        return dy;
      });
      const convolve = (a: Tensor, b: Tensor) =>
        tf.conv2d(a as Tensor4D, b as Tensor4D, config.strides, config.pad as 'same');
      const [image, filter] = [tf.tensor(x, config.input), tf.tensor(w, filterShape)];
      const y = convolve(image, filter);
      expect(y.shape).toEqual(truth.shape);
      await expectClose(y, truth.y);
      const [dx, dw] = tf.grads(convolve)([image, filter], tf.tensor(dy, truth.shape));
      await expectClose(dx!, truth.dx);
      await expectClose(dw!, truth.dw);
    });
  },
);

it('a padding by one number is one on all four sides, with dilations too', async () => {
  await scoped(async () => {
    const [x, filter] = [
      tf.tensor(randn([4, 3, 9, 1], 1), [4, 3, 9, 1]),
      tf.tensor(randn([4, 1, 1, 6], 2), [4, 1, 1, 6]),
    ];
    const padded = tf.pad(x, [
      [0, 0],
      [3, 3],
      [3, 3],
      [0, 0],
    ]) as Tensor4D;
    const y = tf.conv2d(x as Tensor4D, filter as Tensor4D, 1, 3, 'NHWC', [1, 2]);
    expect(y.shape).toEqual([4, 6, 15, 6]);
    await expectClose(y, Float64Array.from(await tf.conv2d(padded, filter as Tensor4D, 1, 'valid').data()));
  });
});

it.each<[[number, number], number]>([
  [[1, 1], 2],
  [[1, 3], 3],
  [[3, 1], 2],
  [[2, 2], 3],
])('depthwise convolution with %s is convolution channel by channel, strides %s', async (kernel, stride) => {
  await scoped(async () => {
    const x = tf.tensor(randn([3, 5, 6, 2], 1), [3, 5, 6, 2]) as Tensor4D;
    const filter = tf.tensor(randn([...kernel, 2, 1], 2), [...kernel, 2, 1]) as Tensor4D;
    const [xs, filters] = [tf.split(x, 2, 3), tf.split(filter, 2, 2)];
    const y = tf.concat(
      xs.map((channel, c) => tf.conv2d(channel as Tensor4D, filters[c] as Tensor4D, stride, 'same')),
      3,
    );
    await expectClose(tf.depthwiseConv2d(x, filter, stride, 'same'), Float64Array.from(await y.data()));
  });
});

it.each([3, 4])(
  'refuses a window of %i by as many pixels on an image of 2 by 2, of which nothing comes out',
  async (k) => {
    await scoped(async () => {
      const x = tf.tensor(randn([3, 2, 2, 1], 1), [3, 2, 2, 1]) as Tensor4D;
      const filter = tf.tensor(randn([k, k, 1, 1], 2), [k, k, 1, 1]) as Tensor4D;
      const window = `a window has ${k} × ${k} pixels, and the image 2 × 2`;
      expect(() => tf.conv2d(x, filter, 1, 'valid')).toThrow(window);
      expect(() => tf.depthwiseConv2d(x, filter, 1, 'valid')).toThrow(window);
      expect(() => tf.maxPool(x, k, 1, 'valid')).toThrow(window);
      expect(() => tf.avgPool(x, k, 1, 'valid')).toThrow(window);
      expect(tf.conv2d(x, filter, 1, 'same').shape).toEqual([3, 2, 2, 1]);
    });
  },
);
