import type { Tensor, Tensor4D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { arrays } from '../../src/datasets/arrays.ts';
import type { Loss } from '../../src/engine/Loss.ts';
import type { Model } from '../../src/engine/Model.ts';
import { type EngineName, openEngine } from '../../src/engine/openEngine.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { addScaled, dot, norm } from '../../src/linalg/vector.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { layersModel } from '../../src/models/layersModel.ts';
import { scoped } from '../helpers/scoped.ts';

beforeAll(async () => {
  await openEngine((process.env.BRINK_ENGINE ?? 'wasm') as EngineName);
});

const normal = (count: number, seed: number) => Float32Array.from(normals(generator(seed), count));
const randn = (shape: number[], seed: number) => tf.tensor(normal(tf.util.sizeFromShape(shape), seed), shape);
const four = (x: Tensor) => x as Tensor4D;
const numbers = async (ts: readonly Tensor[]) =>
  Float64Array.from((await Promise.all(ts.map((t) => t.data()))).flatMap((values) => [...values]));
const error = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  const difference = Float64Array.from(a);
  addScaled(difference, Float64Array.from(b), -1);
  return norm(difference) / norm(Float64Array.from(b));
};

type Operation = (...xs: Tensor[]) => Tensor;

/** A filter [h, w, …] with d − 1 zeros between its entries, made of products with matrices of zeros and ones. */
function spreadOut(filter: Tensor, [dh, dw]: [number, number]): Tensor {
  const [height, width, ...rest] = filter.shape as number[];
  const places = (count: number, d: number) =>
    tf.oneHot(
      Array.from({ length: count }, (_, k) => k * d),
      (count - 1) * d + 1,
    );
  const channels = tf.util.sizeFromShape(rest);
  const [rows, columns] = [tf.cast(places(height!, dh), 'float32'), tf.cast(places(width!, dw), 'float32')];
  const tall = tf.matMul(rows, tf.reshape(filter, [height!, width! * channels]), true);
  const all = tf.matMul(tf.transpose(columns), tf.reshape(tall, [-1, width!, channels]));
  return tf.reshape(all, [(height! - 1) * dh + 1, (width! - 1) * dw + 1, ...rest]);
}

/** The matrix [to, from] of a resize, from its definition. */
function resizing(from: number, to: number, bilinear: boolean, alignCorners: boolean, half: boolean): Tensor {
  const rows = Array.from({ length: to }, (_, k) => {
    const scale = alignCorners ? (from - 1) / (to - 1) : from / to;
    const row = new Array<number>(from).fill(0);
    if (!bilinear) {
      const place = half ? (k + 0.5) * scale : k * scale;
      row[Math.min(from - 1, alignCorners ? Math.round(place) : Math.floor(place))] = 1;
      return row;
    }
    const place = Math.min(from - 1, Math.max(0, half ? (k + 0.5) * scale - 0.5 : k * scale));
    const low = Math.floor(place);
    row[low]! += 1 - (place - low);
    row[Math.min(from - 1, low + 1)]! += place - low;
    return row;
  });
  return tf.tensor2d(rows);
}
const resized =
  (size: [number, number], bilinear: boolean, align: boolean, half: boolean): Operation =>
  (x) => {
    const [height, width] = x.shape.slice(1) as [number, number];
    const rows = resizing(height, size[0], bilinear, align, half);
    const columns = resizing(width, size[1], bilinear, align, half);
    const turned = tf.transpose(x, [0, 3, 1, 2]);
    const all = tf.matMul(tf.matMul(rows, turned), columns, false, true);
    return tf.transpose(all, [0, 2, 3, 1]);
  };

const triangle = (n: number, keep: (i: number, j: number) => boolean) =>
  tf.tensor2d(Array.from({ length: n }, (_, i) => Array.from({ length: n }, (__, j) => (keep(i, j) ? 1 : 0))));
/** Running sums along the middle axis as a product with a matrix. */
const runningSum =
  (keep: (i: number, j: number) => boolean): Operation =>
  (x) =>
    tf.matMul(triangle(x.shape[1]!, keep), tf.square(x));

const y = () => tf.tensor2d([1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 1, 1], [3, 4]);
const signs = () => tf.sub(tf.mul(y(), 2), 1);
const shares = () => tf.tensor2d([1, 0, 0, 0, 0.2, 0.3, 0.1, 0.4, 0, 0, 1, 0], [3, 4]);
const each = tf.Reduction.NONE;

/** An operation, the same written otherwise, and the shapes that both take. */
const PAIRS: Record<string, [Operation, Operation, ...number[][]]> = {
  'einsum of a dense layer': [(x, w) => tf.einsum('bi,io->bo', x, w), (x, w) => tf.matMul(x, w), [4, 3], [3, 5]],
  'einsum of attention': [
    (q, k) => tf.einsum('bqhd,bkhd->bhqk', q, k),
    (q, k) => tf.matMul(tf.transpose(q, [0, 2, 1, 3]), tf.transpose(k, [0, 2, 1, 3]), false, true),
    [2, 3, 2, 4],
    [2, 5, 2, 4],
  ],
  'einsum of inner products': [
    (a, b) => tf.einsum('bi,bi->b', a, b),
    (a, b) => tf.sum(tf.mul(a, b), 1),
    [3, 4],
    [3, 4],
  ],
  'einsum of a bilinear form': [
    (x, w, z) => tf.einsum('bi,ij,bj->b', x, w, z),
    (x, w, z) => tf.sum(tf.mul(tf.matMul(x, w), z), 1),
    [4, 3],
    [3, 2],
    [4, 2],
  ],
  'einsum that sums an axis of one tensor': [
    (a, b) => tf.einsum('ij,jk->k', a, b),
    (a, b) => tf.squeeze(tf.matMul(tf.sum(a, 0, true), b), [0]),
    [3, 4],
    [4, 5],
  ],
  'einsum of one tensor': [
    (x) => tf.einsum('bij->jb', tf.square(x)),
    (x) => tf.transpose(tf.sum(tf.square(x), 1)),
    [2, 3, 4],
  ],
  cumsum: [(x) => tf.cumsum(tf.square(x), 1), runningSum((i, j) => j <= i), [2, 4, 3]],
  'cumsum, exclusive': [(x) => tf.cumsum(tf.square(x), 1, true), runningSum((i, j) => j < i), [2, 4, 3]],
  'cumsum, reverse': [(x) => tf.cumsum(tf.square(x), 1, false, true), runningSum((i, j) => j >= i), [2, 4, 3]],
  'cumsum, exclusive and reverse': [
    (x) => tf.cumsum(tf.square(x), 1, true, true),
    runningSum((i, j) => j > i),
    [2, 4, 3],
  ],
  'cumsum along an axis from the end': [
    (x) => tf.cumsum(tf.square(x), -2, true),
    (x) => tf.cumsum(tf.square(x), 1, true),
    [2, 4, 3],
  ],
  'gather along an axis from the end': [
    (x) => tf.gather(tf.square(x), tf.tensor1d([2, 0, 2], 'int32'), -2),
    (x) => tf.gather(tf.square(x), tf.tensor1d([2, 0, 2], 'int32'), 1),
    [2, 4, 3],
  ],
  'conv2d with dilations': [
    (x, w) => tf.conv2d(four(x), four(w), 1, 'same', 'NHWC', [2, 3]),
    (x, w) => tf.conv2d(four(x), four(spreadOut(w, [2, 3])), 1, 'same'),
    [2, 9, 8, 3],
    [3, 2, 3, 4],
  ],
  'depthwiseConv2d with dilations': [
    (x, w) => tf.depthwiseConv2d(four(x), four(w), 1, 'valid', 'NHWC', 2),
    (x, w) => tf.depthwiseConv2d(four(x), four(spreadOut(w, [2, 2])), 1, 'valid'),
    [2, 7, 8, 3],
    [3, 2, 3, 2],
  ],
  ...Object.fromEntries(
    [false, true].flatMap((bilinear) =>
      (
        [
          [[8, 10], false, false],
          [[7, 3], false, true],
          [[7, 9], true, false],
        ] as const
      ).map(([[height, width], align, half]) => {
        const size: [number, number] = [height, width];
        const resize = bilinear ? tf.image.resizeBilinear : tf.image.resizeNearestNeighbor;
        const pair: [Operation, Operation, number[]] = [
          (x) => resize(four(tf.square(x)), size, align, half),
          (x) => resized(size, bilinear, align, half)(tf.square(x)),
          [2, 4, 5, 3],
        ];
        return [`resize${bilinear ? 'Bilinear' : 'NearestNeighbor'} to ${size}`, pair];
      }),
    ),
  ),
  relu6: [(x) => tf.relu6(tf.mul(x, 5)), (x) => tf.clipByValue(tf.mul(x, 5), 0, 6), [3, 4]],
  'losses.meanSquaredError': [
    (x) => tf.losses.meanSquaredError(y(), x, undefined, each),
    (x) => tf.square(tf.sub(x, y())),
    [3, 4],
  ],
  'losses.absoluteDifference': [
    (x) => tf.losses.absoluteDifference(y(), tf.square(x), undefined, each),
    (x) => {
      const d = tf.sub(tf.square(x), y());
      return tf.add(tf.relu(d), tf.relu(tf.neg(d)));
    },
    [3, 4],
  ],
  'losses.huberLoss': [
    (x) => tf.losses.huberLoss(y(), x, undefined, 0.8, each),
    (x) => {
      const d = tf.sub(x, y());
      const size = tf.abs(d);
      return tf.where(tf.less(size, 0.8), tf.mul(tf.square(d), 0.5), tf.sub(tf.mul(size, 0.8), 0.32));
    },
    [3, 4],
  ],
  'losses.logLoss': [
    (x) => tf.losses.logLoss(y(), tf.sigmoid(x), undefined, 0, each),
    (x) => tf.softplus(tf.neg(tf.mul(signs(), x))),
    [3, 4],
  ],
  'losses.hingeLoss': [
    (x) => tf.losses.hingeLoss(y(), tf.square(x), undefined, each),
    (x) => tf.relu(tf.sub(1, tf.mul(signs(), tf.square(x)))),
    [3, 4],
  ],
  'losses.cosineDistance': [
    (x) => tf.losses.cosineDistance(y(), tf.square(x), 1, undefined, each),
    (x) => tf.sub(1, tf.matMul(tf.mul(y(), tf.square(x)), tf.ones([4, 1]))),
    [3, 4],
  ],
  'losses.sigmoidCrossEntropy': [
    (x) => tf.losses.sigmoidCrossEntropy(y(), x, undefined, 0, each),
    (x) => tf.softplus(tf.neg(tf.mul(signs(), x))),
    [3, 4],
  ],
  'losses.softmaxCrossEntropy': [
    (x) => tf.losses.softmaxCrossEntropy(shares(), x, undefined, 0.1, each),
    (x) => tf.neg(tf.sum(tf.mul(tf.add(tf.mul(shares(), 0.9), 0.025), tf.log(tf.softmax(x))), 1)),
    [3, 4],
  ],
};

describe('an operation and the same written otherwise have the same', () => {
  it.each(Object.entries(PAIRS))('values, gradient and H v: %s', async (_name, [operation, otherwise, ...shapes]) => {
    await scoped(async () => {
      const xs = shapes.map((shape, k) => randn(shape, 10 + k));
      const v = shapes.map((shape, k) => randn(shape, 20 + k));
      const weights = randn(operation(...xs).shape, 30);
      const loss =
        (f: Operation) =>
        (...zs: Tensor[]) =>
          tf.sum(tf.mul(tf.square(f(...zs)), weights)) as tf.Scalar;
      const gradient = (f: Operation, zs: Tensor[]) => tf.grads(loss(f))(zs);
      const product = (f: Operation) =>
        tf.grads((...zs: Tensor[]) =>
          gradient(f, zs)
            .map((g, k) => tf.sum(tf.mul(g, v[k]!)) as tf.Scalar)
            .reduce((a, b) => tf.add(a, b)),
        )(xs);
      const [value, other] = [operation(...xs), otherwise(...xs)];
      expect(value.shape).toEqual(other.shape);
      expect(error(await numbers([value]), await numbers([other]))).toBeLessThan(2e-6);
      expect(error(await numbers(gradient(operation, xs)), await numbers(gradient(otherwise, xs)))).toBeLessThan(1e-5);
      expect(error(await numbers(product(operation)), await numbers(product(otherwise)))).toBeLessThan(2e-5);
    });
  });
});

const own = (forward: Model['forward'], inputShape: number[], shape: number[]): Model => ({
  name: 'own',
  config: {},
  inputShape,
  outputCount: 2,
  parameters: [{ name: 'w', shape, initializer: { distribution: 'normal', scale: 1 } }],
  forward,
});
const loss = (perExample: Loss['perExample']): Loss => ({ name: 'own', config: {}, perExample });
const plain = own(([w], x) => tf.matMul(x, w!), [2], [2, 2]);
const images = (f: (x: Tensor4D) => Tensor) =>
  own(([w], x) => tf.mean(tf.square(f(tf.conv2d(four(x), four(w!), 1, 'same'))), [1, 2]), [5, 4, 1], [2, 2, 1, 2]);
const { layers: L } = tf;
const net = (...stack: tf.layers.Layer[]) =>
  layersModel(tf.sequential({ layers: [...stack, L.flatten(), L.dense({ units: 2 })] }));

const OBJECTIVES: Record<string, () => [Model, number[], Loss]> = {
  einsum: () => [own(([w], x) => tf.einsum('bi,io->bo', tf.square(x), w!), [2], [2, 2]), [2], crossEntropy],
  cumsum: () => [own(([w], x) => tf.cumsum(tf.tanh(tf.matMul(x, w!)), 1), [2], [2, 2]), [2], crossEntropy],
  relu6: () => [own(([w], x) => tf.relu6(tf.mul(tf.matMul(x, w!), 4)), [2], [2, 2]), [2], crossEntropy],
  'conv2d with dilations': () => [
    own(
      ([w], x) => tf.mean(tf.square(tf.conv2d(four(x), four(w!), 1, 'same', 'NHWC', 2)), [1, 2]),
      [5, 4, 1],
      [2, 3, 1, 2],
    ),
    [5, 4, 1],
    crossEntropy,
  ],
  resizeNearestNeighbor: () => [images((x) => tf.image.resizeNearestNeighbor(x, [7, 9])), [5, 4, 1], crossEntropy],
  resizeBilinear: () => [images((x) => tf.image.resizeBilinear(x, [7, 9])), [5, 4, 1], crossEntropy],
  'the layers conv2d with dilations and upSampling2d': () => [
    net(
      L.conv2d({ filters: 2, kernelSize: 2, dilationRate: 2, activation: 'tanh', inputShape: [5, 4, 1] }),
      L.upSampling2d({ size: [2, 2] }),
    ),
    [5, 4, 1],
    crossEntropy,
  ],
  'the layers conv1d with dilations and relu6': () => [
    net(L.conv1d({ filters: 2, kernelSize: 2, dilationRate: 2, activation: 'relu6', inputShape: [6, 1] })),
    [6, 1],
    crossEntropy,
  ],
  'the layer upSampling2d, bilinear': () => [
    net(
      L.conv2d({ filters: 2, kernelSize: 2, activation: 'tanh', inputShape: [4, 4, 1] }),
      L.upSampling2d({ size: [2, 2], interpolation: 'bilinear' }),
    ),
    [4, 4, 1],
    crossEntropy,
  ],
  ...Object.fromEntries(
    Object.entries<Loss['perExample']>({
      meanSquaredError: (f, t) => tf.sum(tf.losses.meanSquaredError(t, f, undefined, each), 1),
      absoluteDifference: (f, t) => tf.sum(tf.losses.absoluteDifference(t, tf.square(f), undefined, each), 1),
      huberLoss: (f, t) => tf.sum(tf.losses.huberLoss(t, f, undefined, 0.9, each), 1),
      logLoss: (f, t) => tf.sum(tf.losses.logLoss(t, tf.sigmoid(f), undefined, 1e-7, each), 1),
      hingeLoss: (f, t) => tf.sum(tf.losses.hingeLoss(t, tf.square(f), undefined, each), 1),
      cosineDistance: (f, t) => tf.reshape(tf.losses.cosineDistance(t, tf.square(f), 1, undefined, each), [-1]),
      sigmoidCrossEntropy: (f, t) => tf.sum(tf.losses.sigmoidCrossEntropy(t, f, undefined, 0, each), 1),
      softmaxCrossEntropy: (f, t) => tf.losses.softmaxCrossEntropy(t, f, undefined, 0.1, each),
    }).map(([name, perExample]) => [`losses.${name}`, () => [plain, [2], loss(perExample)]]),
  ),
};

const data = (shape: number[]) =>
  arrays({
    inputShape: shape,
    classes: 2,
    inputs: normal(5 * tf.util.sizeFromShape(shape), 1),
    labels: [0, 1, 0, 1, 1],
  });

describe('an objective is right, example by example, with', () => {
  it.each(Object.entries(OBJECTIVES))('%s', async (_name, make) => {
    const [model, shape, of] = make();
    const objective = await empiricalRisk({ model, data: data(shape), loss: of, chunk: 3 });
    const point = objective.at(normal(objective.paramCount, 3));
    const v = normal(objective.paramCount, 4);
    const { product, projections } = await point.hessianVector(v);
    const singles: number[] = [];
    const mean = new Float64Array(objective.paramCount);
    for (let i = 0; i < 5; i++) {
      singles.push(dot((await point.batchGradient(Int32Array.of(i))).gradient, v));
      addScaled(mean, Float64Array.from(await point.batchHessianVector(Int32Array.of(i), v)), 1 / 5);
    }
    expect(norm(product)).toBeGreaterThan(0);
    expect(error(projections!, singles)).toBeLessThan(1e-5);
    expect(error(product, mean)).toBeLessThan(1e-5);

    const errors: number[] = [];
    for (const e of [1e-2, 3e-3, 1e-3]) {
      const difference = Float64Array.from(await point.moved(v, e).gradient());
      addScaled(difference, Float64Array.from(await point.moved(v, -e).gradient()), -1);
      errors.push(
        error(
          product,
          difference.map((d) => d / (2 * e)),
        ),
      );
    }
    expect(Math.min(...errors)).toBeLessThan(5e-3);
  });

  it('norms of gradients for a convolution with dilations', async () => {
    const [model, shape, of] = OBJECTIVES['conv2d with dilations']!();
    const objective = await empiricalRisk({ model, data: data(shape), loss: of });
    expect(objective.exampleNorms).toBe(true);
    const point = objective.at(normal(objective.paramCount, 3));
    const singles: number[] = [];
    for (let i = 0; i < 5; i++) {
      const { gradient } = await point.batchGradient(Int32Array.of(i));
      singles.push(dot(gradient, gradient));
    }
    expect(error(await point.exampleNormsSquared(), singles)).toBeLessThan(1e-5);
  });
});

describe('an objective is refused by name, with what to do, where it has', () => {
  it.each<[string, Operation, string | RegExp]>([
    ['cumprod', (z) => tf.cumprod(z, 1), 'empiricalRisk (own): the operation Cumprod is not verified to second order.'],
    [
      'a slice with strides',
      (z) => tf.stridedSlice(z, [0, 0], z.shape, [1, 1]),
      'the operation StridedSlice is not verified',
    ],
    [
      'logSoftmax',
      (z) => tf.logSoftmax(z),
      /a gradient written by hand .*for tf\.logSoftmax\(z\) tf\.sub\(z, tf\.logSumExp\(z, -1, true\)\)/,
    ],
    [
      'a trace in einsum',
      (z) => tf.mul(z, tf.einsum('ii->', tf.matMul(z, z, true))),
      "einsum: the equation is 'ii->'. 'ii' names an axis twice, a trace or a diagonal. Multiply by tf.eye",
    ],
    [
      'an operation that not every engine has',
      (z) => tf.add(z, tf.sum(tf.unsortedSegmentSum(z, tf.zeros([z.shape[0]!], 'int32') as tf.Tensor1D, 1), 0)),
      /empiricalRisk( \(own\))?: .*the operation UnsortedSegmentSum/,
    ],
    ['dots in einsum', (z) => tf.einsum('...i->...i', z), "einsum: the equation is '...i->...i'. Name every axis"],
    ['no output in einsum', (z) => tf.einsum('bi,bi', z, z), "Write the output's axes behind '->'"],
    ['an axis of two lengths in einsum', (z) => tf.einsum('bi,ib->bi', z, z), /The axis [ib] has the length/],
    ['an axis from nowhere in einsum', (z) => tf.einsum('bi->bj', z), 'No tensor has the axis j of the output.'],
  ])('%s', async (_name, operation, message) => {
    const model = own(([w], x) => operation(tf.matMul(x, w!)), [2], [2, 2]);
    const threes = arrays({ inputShape: [2], classes: 2, inputs: normal(6, 1), labels: [0, 1, 0] });
    await expect(empiricalRisk({ model, data: threes, loss: crossEntropy })).rejects.toThrow(message);
  });
});
