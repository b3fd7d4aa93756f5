import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { derivatives } from '../../src/engine/derivatives/derivatives.ts';
import type { Attributes, Inputs } from '../../src/engine/kernels/Kernel.ts';
import { portableKernels } from '../../src/engine/kernels/portable/portableKernels.ts';
import { BACKENDS, type EngineName, openEngine } from '../../src/engine/openEngine.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { scoped } from '../helpers/scoped.ts';

const engine = (process.env.BRINK_ENGINE ?? 'wasm') as EngineName;
/** TensorFlow.js's own kernels, all of which its backend in plain JavaScript has. */
const stock = new Set(tf.getKernelsForBackend('cpu').map(({ kernelName }) => kernelName));

beforeAll(async () => {
  await openEngine(engine);
});

/** The kernels that the source of derivatives and operations calls by name. */
const called = (() => {
  const folder = join(import.meta.dirname, '../../src/engine');
  const files = [...readdirSync(join(folder, 'derivatives')).map((file) => `derivatives/${file}`), 'kernels/ops.ts'];
  const source = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n');
  return new Set([...source.matchAll(/runKernel\(\s*'(\w+)'/g)].map(([, name]) => name!));
})();

describe('the lists of kernels', () => {
  it('hold on this engine whatever derivatives and operations call by name', () => {
    expect(called.size).toBeGreaterThan(10);
    expect([...called].filter((name) => !tf.getKernel(name, engine))).toEqual([]);
  });

  it('hold no portable kernel of brink’s own that nothing calls', () => {
    const own = Object.keys(portableKernels).filter((name) => !stock.has(name));
    expect(own.filter((name) => !called.has(name))).toEqual([]);
  });

  it.each(Object.entries(BACKENDS))(
    'hold for %s only kernels that are portable or TensorFlow.js’s own',
    async (_, load) => {
      const { kernels } = await load();
      const known = (name: string) => name in portableKernels || stock.has(name);
      expect(Object.keys(kernels).filter((name) => !known(name))).toEqual([]);
    },
  );

  it('hold whatever has a derivative', () => {
    const known = (name: string) => name in portableKernels || stock.has(name);
    expect(Object.keys(derivatives).filter((name) => !known(name))).toEqual([]);
  });
});

const randn = (shape: number[], seed: number) =>
  tf.tensor(Float32Array.from(normals(generator(seed), tf.util.sizeFromShape(shape))), shape);

interface Example {
  readonly inputs: Inputs;
  readonly attributes?: Attributes;
}

const image = [2, 7, 6, 4];
const POOLS = [
  { filterSize: [2, 2], strides: [2, 2], pad: 'valid' },
  { filterSize: [3, 3], strides: [2, 2], pad: 'same' },
  { filterSize: [3, 2], strides: [1, 2], pad: 'same' },
  { filterSize: [2, 1], strides: [3, 2], pad: 'valid' },
] as const;
type Pool = (typeof POOLS)[number];
const maxPool = (x: Tensor, { filterSize, strides, pad }: Pool) =>
  tf.maxPool(x as tf.Tensor4D, [...filterSize], [...strides], pad);

/** Portable kernels that wrap TensorFlow.js's. */
type Wrapping =
  | `Conv2D${string}`
  | `${string}Pool`
  | 'BatchMatMul'
  | 'Cumsum'
  | 'Cumprod'
  | 'DepthwiseConv2dNative'
  | 'GatherV2';

/** Inputs for each kernel of brink's own. */
const EXAMPLES: Record<Exclude<keyof typeof portableKernels, Wrapping>, () => Example[]> = {
  BiasAdd: () => [{ inputs: { x: randn([3, 2, 4], 1), b: randn([4], 2) } }],
  StopGradient: () => [{ inputs: {}, attributes: { x: randn([3, 2], 1) } }],
  ReluMask: () =>
    [[3, 5], [8], [2, 3, 6]].map((shape) => ({ inputs: { dy: randn(shape, 1) }, attributes: { y: randn(shape, 2) } })),
  TanhGrad: () => [
    { inputs: { x: randn([3, 5], 1), dy: randn([3, 5], 2) }, attributes: { y: tf.tanh(randn([3, 5], 1)) } },
  ],
  TanhAgain: () => [{ inputs: { x: randn([3, 5], 1) }, attributes: { y: tf.tanh(randn([3, 5], 1)) } }],
  Spread: () =>
    [
      { from: [1, 1], to: [3, 4] },
      { from: [2, 1, 3], to: [2, 5, 3] },
      { from: [1, 3, 1, 2], to: [4, 3, 2, 2] },
      { from: [2, 3], to: [2, 3] },
      { from: [], to: [] },
    ].map(({ from, to }) => ({ inputs: { x: randn(from, 1) }, attributes: { shape: to } })),
  GatherAdjoint: () => [
    {
      inputs: { dy: randn([3, 2], 1) },
      attributes: { indices: tf.tensor1d([2, 0, 2], 'int32'), axis: 0, shape: [4, 2] },
    },
    {
      inputs: { dy: randn([2, 2, 2, 3], 1) },
      attributes: { indices: tf.tensor([3, 1, 1, 1], [2, 2], 'int32'), axis: 1, shape: [2, 4, 3] },
    },
  ],
  BatchNorm: () => [
    { inputs: { x: randn([5, 3, 4], 1), gamma: randn([4], 2), beta: randn([4], 3) }, attributes: { epsilon: 1e-3 } },
  ],
  BatchNormInput: () => [
    {
      inputs: { x: randn([5, 3, 4], 1), gamma: randn([4], 2), dy: randn([5, 3, 4], 3) },
      attributes: { epsilon: 1e-3 },
    },
  ],
  Relu6: () => [{ inputs: { x: tf.mul(randn([3, 5], 1), 6) } }],
  ClipByValue: () => [{ inputs: { x: randn([3, 5], 1) }, attributes: { clipValueMin: -0.5, clipValueMax: 0.7 } }],
  Einsum: () => [
    { inputs: Object.assign([randn([2, 3, 4], 1), randn([5, 4], 2)]), attributes: { equation: 'bij,kj->bki' } },
  ],
  BatchNormScale: () => [
    { inputs: { x: randn([5, 3, 4], 1), dy: randn([5, 3, 4], 3) }, attributes: { epsilon: 1e-3 } },
  ],
  MaxPoolScatter: () =>
    POOLS.map((pool) => {
      const x = randn(image, 1);
      const y = maxPool(x, pool);
      return { inputs: { dy: randn(y.shape, 2) }, attributes: { ...pool, x, y } };
    }),
  MaxPoolGather: () =>
    POOLS.map((pool) => {
      const x = randn(image, 1);
      return { inputs: { c: randn(image, 2) }, attributes: { ...pool, x, y: maxPool(x, pool) } };
    }),
  AvgPoolSpread: () =>
    POOLS.map((pool) => {
      const { shape } = maxPool(randn(image, 1), pool);
      return { inputs: { dy: randn(shape, 2) }, attributes: { ...pool, inputShape: image } };
    }),
};

/** A portable kernel that wraps none of TensorFlow.js's, as a function. */
const portable = (name: keyof typeof EXAMPLES) => portableKernels[name] as (i: Inputs, a: Attributes) => Tensor;

describe('this engine gives what the portable kernel does', () => {
  it.each(Object.keys(EXAMPLES) as (keyof typeof EXAMPLES)[])('%s', async (name) => {
    await scoped(async () => {
      for (const { inputs, attributes = {} } of EXAMPLES[name]()) {
        const own = tf.engine().runKernel(name, inputs, attributes) as Tensor;
        const defined = portable(name)(inputs, attributes);
        expect(own.shape).toEqual(defined.shape);
        const truth = await defined.data();
        (await own.data()).forEach((value, k) => {
          expect(Math.abs(value - truth[k]!)).toBeLessThan(1e-5 * (1 + Math.abs(truth[k]!)));
        });
      }
    });
  });

  it('which reads no number back: some backends cannot wait for one', () => {
    const read = vi.spyOn(tf.engine(), 'readSync');
    tf.tidy(() => {
      for (const name of Object.keys(EXAMPLES) as (keyof typeof EXAMPLES)[]) {
        for (const { inputs, attributes = {} } of EXAMPLES[name]()) portable(name)(inputs, attributes);
      }
      expect(read).not.toHaveBeenCalled();
      tf.scalar(1).dataSync();
      expect(read).toHaveBeenCalledOnce();
    });
    read.mockRestore();
  });

  it('and keeps nothing but the output', () => {
    tf.tidy(() => {
      for (const name of Object.keys(EXAMPLES) as (keyof typeof EXAMPLES)[]) {
        for (const { inputs, attributes = {} } of EXAMPLES[name]()) {
          const before = tf.memory().numTensors;
          tf.engine().runKernel(name, inputs, attributes);
          expect(tf.memory().numTensors - before, name).toBe(1);
        }
      }
    });
  });
});

describe('an axis that is counted from the end', () => {
  const x = () => tf.tensor3d([5, 2, 3, 4, 1, 6, 7, 9, 8, 10, 12, 11], [2, 3, 2]);
  it.each([
    ['cumsum', () => tf.cumsum(x(), -2), [5, 2, 8, 6, 9, 12, 7, 9, 15, 19, 27, 30]],
    ['cumprod', () => tf.cumprod(x(), -2), [5, 2, 15, 8, 15, 48, 7, 9, 56, 90, 672, 990]],
    ['gather', () => tf.gather(x(), tf.tensor1d([2, 0], 'int32'), -2), [1, 6, 5, 2, 12, 11, 7, 9]],
  ] as const)('is that axis to %s, and one that there is not is refused', async (_, operation, expected) => {
    await scoped(async () => {
      const y = operation();
      expect(y.shape).toEqual([2, expected.length / 4, 2]);
      expect(Array.from(await y.data(), Math.round)).toEqual(expected);
      expect(() => tf.cumsum(x(), 3)).toThrow(/axis/);
    });
  });
});

it('a number is true where it is not 0', async () => {
  await scoped(async () => {
    const truths = tf.cast(tf.tensor1d([0.5, -1, 256, 0, Number.NaN]), 'bool');
    expect(Array.from(await tf.cast(truths, 'float32').data())).toEqual([1, 1, 1, 0, 1]);
  });
});

describe('what is not a number stays so', () => {
  const x = () => tf.tensor1d([Number.NaN, 1, -9, 9]);
  const four = () => tf.tensor4d([Number.NaN, 1, 2, 3, 4, 5, 6, -1, 7], [1, 3, 3, 1]);
  const ones = () => tf.ones([2, 2, 1, 1]) as tf.Tensor4D;
  const column = () => tf.tensor2d([[Number.NaN, 0]]);
  it.each<[string, () => Tensor, readonly number[]]>([
    ['relu', () => tf.relu(x()), [Number.NaN, 1, 0, 9]],
    ['relu6', () => tf.relu6(x()), [Number.NaN, 1, 0, 6]],
    ['clipByValue', () => tf.clipByValue(x(), -2, 2), [Number.NaN, 1, -2, 2]],
    ['maximum', () => tf.maximum(x(), 0), [Number.NaN, 1, 0, 9]],
    ['maximum, on the right', () => tf.maximum(0, x()), [Number.NaN, 1, 0, 9]],
    ['minimum, on the right', () => tf.minimum(0, x()), [Number.NaN, 0, -9, 0]],
    ['sigmoid', () => tf.sigmoid(x()), [Number.NaN, 0.7311, 0.0001, 0.9999]],
    ['softplus', () => tf.softplus(x()), [Number.NaN, 1.3133, 0.0001, 9.0001]],
    ['elu', () => tf.elu(x()), [Number.NaN, 1, -0.9999, 9]],
    ['softmax', () => tf.softmax(x()), [Number.NaN, Number.NaN, Number.NaN, Number.NaN]],
    ['maxPool', () => tf.maxPool(four(), 2, 1, 'valid'), [Number.NaN, 5, 6, 7]],
    ['avgPool', () => tf.avgPool(four(), 2, 1, 'valid'), [Number.NaN, 3, 3, 3.75]],
    ['conv2d', () => tf.conv2d(four(), ones(), 1, 'valid'), [Number.NaN, 12, 12, 15]],
    ['depthwiseConv2d', () => tf.depthwiseConv2d(four(), ones(), 1, 'valid'), [Number.NaN, 12, 12, 15]],
    [
      'fused.matMul',
      () => tf.fused.matMul({ a: column(), b: tf.tensor2d([[0], [1]]), activation: 'relu' }),
      [Number.NaN],
    ],
    [
      'fused.conv2d',
      () => tf.fused.conv2d({ x: four(), filter: ones(), strides: 1, pad: 'valid', activation: 'relu' }),
      [Number.NaN, 12, 12, 15],
    ],
    ['max', () => tf.max(x()), [Number.NaN]],
    ['logSumExp', () => tf.logSumExp(x()), [Number.NaN]],
  ])('through %s', async (_, operation, expected) => {
    await scoped(async () => {
      expect(Array.from(await operation().data(), (value) => Math.round(1e4 * value) / 1e4)).toEqual(expected);
    });
  });
});
