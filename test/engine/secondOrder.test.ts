import type { Tensor, Tensor4D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  kernelsOnTape,
  requireVerifiedKernels,
  VERIFIED_KERNELS,
} from '../../src/engine/derivatives/verifiedKernels.ts';
import { batchNorm, biasAdd, gelu, logSumExp, stopGradient } from '../../src/engine/kernels/ops.ts';
import { leakFree } from '../../src/engine/leakFree.ts';
import { type EngineName, openEngine } from '../../src/engine/openEngine.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { scoped } from '../helpers/scoped.ts';

const engine = (process.env.BRINK_ENGINE ?? 'wasm') as EngineName;

beforeAll(async () => {
  await openEngine(engine);
});

/** Normal numbers, a function of the seed. */
const randn = (shape: number[], seed: number) =>
  tf.tensor(
    Float32Array.from(
      normals(
        generator(seed),
        shape.reduce((a, b) => a * b, 1),
      ),
    ),
    shape,
  );
/** Distinct numbers in a mixed order, no two closer than 0.02: no small step changes which is the largest. */
const distinct = (shape: number[], seed: number) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, k) => (((k + seed) * 7919) % size) * 0.05 - size * 0.025 + 0.01),
    shape,
  );
};

/** Σ_k ⟨a_k, b_k⟩. */
const dot = (as: readonly Tensor[], bs: readonly Tensor[]): Tensor =>
  as.map((a, k) => tf.sum(tf.mul(a, bs[k]!))).reduce((x, y) => tf.add(x, y));

interface Case {
  readonly shapes: number[][];
  readonly f: (...xs: Tensor[]) => Tensor;
  /** Inputs without ties or values near a kink. */
  readonly kinked?: boolean;
}

const image = [2, 6, 6, 3];
const conv = (stride: number, pad: 'same' | 'valid', k: number, shape = image): Case => ({
  shapes: [shape, [k, k, shape[3]!, 4]],
  f: (x, w) => tf.conv2d(x as Tensor4D, w as Tensor4D, stride, pad),
});
const four = (x: Tensor) => x as Tensor4D;
type Padding = Parameters<typeof tf.conv2d>[3];
const dilated = (by: number | [number, number], pad: Padding): Case => ({
  shapes: [
    [2, 9, 8, 3],
    [3, 2, 3, 4],
  ],
  f: (x, w) => tf.conv2d(four(x), four(w), 1, pad, 'NHWC', by),
});
const einsum = (equation: string, ...shapes: number[][]): Case => ({
  shapes,
  f: (...xs) => tf.einsum(equation, ...xs),
});
const resized = (size: [number, number], options: ResizeOptions = {}): Case => ({
  shapes: [[2, 4, 5, 3]],
  f: (x) => resize(x, size, options),
});
interface ResizeOptions {
  readonly bilinear?: boolean;
  readonly alignCorners?: boolean;
  readonly halfPixelCenters?: boolean;
}
const resize = (x: Tensor, size: [number, number], { bilinear, alignCorners, halfPixelCenters }: ResizeOptions) =>
  (bilinear ? tf.image.resizeBilinear : tf.image.resizeNearestNeighbor)(four(x), size, alignCorners, halfPixelCenters);
/** Targets, and shares of classes. */
const targets = () => tf.tensor2d([0.5, -1, 2, 0.25, 1, -0.5, 0.3, 0.1, -2, 1.5, 0.7, -0.2], [3, 4]);
const shares = () => tf.tensor2d([1, 0, 0, 0, 0.2, 0.3, 0.1, 0.4, 0, 0, 1, 0], [3, 4]);
const zeroOrOne = () => tf.tensor2d([1, 0, 0, 1, 1, 0, 1, 0, 0, 0, 1, 1], [3, 4]);
const each = tf.Reduction.NONE;

const CASES: Record<string, Case> = {
  'conv2d 3×3': conv(1, 'same', 3),
  'conv2d valid': conv(1, 'valid', 3),
  'conv2d stride 2': conv(2, 'same', 3),
  'conv2d 4×4 stride 2': conv(2, 'same', 4),
  'conv2d 1×1 stride 2': conv(2, 'same', 1),
  'conv2d 5×5 stride 3 on a rectangle': conv(3, 'valid', 5, [2, 9, 7, 2]),
  'conv2d explicit padding': {
    shapes: [image, [3, 3, 3, 4]],
    f: (x, w) =>
      tf.conv2d(four(x), four(w), 2, [
        [0, 0],
        [1, 0],
        [2, 1],
        [0, 0],
      ]),
  },
  'conv2d with dilations': dilated(2, 'same'),
  'conv2d with other dilations by row and column': dilated([2, 3], 'valid'),
  'conv2d with dilations and explicit padding': dilated(
    [3, 2],
    [
      [0, 0],
      [1, 0],
      [2, 3],
      [0, 0],
    ],
  ),
  'conv1d with dilations': {
    shapes: [
      [2, 9, 3],
      [3, 3, 2],
    ],
    f: (x, w) => tf.conv1d(x as tf.Tensor3D, w as tf.Tensor3D, 1, 'valid', 'NWC', 2),
  },
  'depthwiseConv2d with dilations': {
    shapes: [
      [2, 8, 7, 3],
      [3, 2, 3, 2],
    ],
    f: (x, w) => tf.depthwiseConv2d(four(x), four(w), 1, 'same', 'NHWC', [2, 3]),
  },
  'depthwiseConv2d with dilations, valid': {
    shapes: [
      [2, 8, 7, 2],
      [2, 3, 2, 1],
    ],
    f: (x, w) => tf.depthwiseConv2d(four(x), four(w), 1, 'valid', 'NHWC', 2),
  },
  'depthwiseConv2d 3×3': {
    shapes: [image, [3, 3, 3, 2]],
    f: (x, w) => tf.depthwiseConv2d(four(x), four(w), 1, 'same'),
  },
  'depthwiseConv2d valid': {
    shapes: [
      [2, 7, 5, 2],
      [3, 2, 2, 1],
    ],
    f: (x, w) => tf.depthwiseConv2d(four(x), four(w), 1, 'valid'),
  },
  'depthwiseConv2d stride 2': {
    shapes: [
      [2, 7, 7, 2],
      [3, 3, 2, 1],
    ],
    f: (x, w) => tf.depthwiseConv2d(four(x), four(w), 2, 'same'),
  },
  separableConv2d: {
    shapes: [image, [3, 3, 3, 2], [1, 1, 6, 4]],
    f: (x, w, p) => tf.separableConv2d(four(x), four(w), four(p), 1, 'same'),
  },
  maxPool: { shapes: [image], f: (x) => tf.maxPool(four(x), 2, 2, 'valid'), kinked: true },
  'maxPool of negative windows': {
    shapes: [image],
    f: (x) => tf.maxPool(four(tf.sub(x, 50)), 2, 2, 'valid'),
    kinked: true,
  },
  'maxPool overlapping': { shapes: [[2, 7, 7, 3]], f: (x) => tf.maxPool(four(x), 3, 2, 'same'), kinked: true },
  avgPool: { shapes: [image], f: (x) => tf.avgPool(four(x), 2, 2, 'valid') },
  'avgPool overlapping': { shapes: [[2, 7, 7, 3]], f: (x) => tf.avgPool(four(x), 3, 2, 'same') },
  'einsum of a dense layer': einsum('bi, io -> bo', [4, 3], [3, 5]),
  'einsum of attention scores': einsum('bqhd,bkhd->bhqk', [2, 3, 2, 4], [2, 5, 2, 4]),
  'einsum of attention values': einsum('bhqk,bkhd->bqhd', [2, 2, 3, 5], [2, 5, 2, 4]),
  'einsum of inner products': einsum('bi,bi->b', [3, 4], [3, 4]),
  'einsum of an outer product': einsum('bi,bj->jbi', [2, 3], [2, 4]),
  'einsum of vectors': einsum('i,j->ij', [3], [4]),
  'einsum of a bilinear form': einsum('bi,ij,bj->b', [4, 3], [3, 2], [4, 2]),
  'einsum that sums an axis of one tensor': einsum('ij,jk->k', [3, 4], [4, 5]),
  'einsum of one tensor': { shapes: [[2, 3, 4]], f: (x) => tf.einsum('bij->jb', tf.square(x)) },
  'einsum to a scalar': einsum('ij,ij->', [3, 4], [3, 4]),
  cumsum: { shapes: [[2, 3, 4]], f: (x) => tf.cumsum(tf.square(x), 1) },
  'cumsum, exclusive': { shapes: [[2, 3, 4]], f: (x) => tf.cumsum(tf.square(x), 0, true) },
  'cumsum, reverse': { shapes: [[2, 3, 4]], f: (x) => tf.cumsum(tf.square(x), 2, false, true) },
  'cumsum, exclusive and reverse': { shapes: [[3, 3]], f: (x) => tf.cumsum(tf.square(x), 0, true, true) },
  'resizeNearestNeighbor up': resized([8, 10]),
  'resizeNearestNeighbor by no whole number': resized([7, 3], { halfPixelCenters: true }),
  'resizeNearestNeighbor, corners aligned': resized([7, 9], { alignCorners: true }),
  'resizeBilinear up': resized([8, 10], { bilinear: true }),
  'resizeBilinear by no whole number': resized([7, 3], { bilinear: true, halfPixelCenters: true }),
  'resizeBilinear, corners aligned': resized([7, 9], { bilinear: true, alignCorners: true }),
  'resizeBilinear of one image': {
    shapes: [[4, 5, 2]],
    f: (x) => tf.image.resizeBilinear(tf.square(x) as tf.Tensor3D, [6, 6]),
  },
  relu6: { shapes: [[3, 4]], f: (x) => tf.relu6(tf.mul(x, 30)), kinked: true },
  'losses.meanSquaredError': { shapes: [[3, 4]], f: (x) => tf.losses.meanSquaredError(targets(), x) },
  'losses.absoluteDifference': {
    shapes: [[3, 4]],
    f: (x) => tf.losses.absoluteDifference(targets(), x, undefined, each),
    kinked: true,
  },
  'losses.huberLoss': {
    shapes: [[3, 4]],
    f: (x) => tf.losses.huberLoss(targets(), tf.mul(x, 10), undefined, 1.01, each),
    kinked: true,
  },
  'losses.logLoss': {
    shapes: [[3, 4]],
    f: (x) => tf.losses.logLoss(zeroOrOne(), tf.sigmoid(x), undefined, 1e-7, each),
  },
  'losses.hingeLoss': {
    shapes: [[3, 4]],
    f: (x) => tf.losses.hingeLoss(zeroOrOne(), tf.mul(x, 10), undefined, each),
    kinked: true,
  },
  'losses.cosineDistance': { shapes: [[3, 4]], f: (x) => tf.losses.cosineDistance(targets(), x, 1) },
  'losses.sigmoidCrossEntropy': {
    shapes: [[3, 4]],
    f: (x) => tf.losses.sigmoidCrossEntropy(zeroOrOne(), x, undefined, 0.1, each),
  },
  'losses.softmaxCrossEntropy': { shapes: [[3, 4]], f: (x) => tf.losses.softmaxCrossEntropy(shares(), x) },
  'losses.softmaxCrossEntropy, smoothed and weighted': {
    shapes: [[3, 4]],
    f: (x) => tf.losses.softmaxCrossEntropy(shares(), x, tf.tensor1d([1, 0, 2]), 0.1, each),
  },
  exp: { shapes: [[3, 4]], f: (x) => tf.exp(x) },
  expm1: { shapes: [[3, 4]], f: (x) => tf.expm1(x) },
  reciprocal: { shapes: [[3, 4]], f: (x) => tf.reciprocal(tf.add(tf.square(x), 1)) },
  reverse: { shapes: [[2, 3, 4]], f: (x) => tf.reverse(tf.square(x), [1]) },
  selu: { shapes: [[3, 4]], f: (x) => tf.selu(x), kinked: true },
  'matMul of rows in batches by one matrix': {
    shapes: [
      [4, 2, 3],
      [3, 5],
    ],
    f: (x, y) => tf.matMul(x, y),
  },
  'matMul of batches by a broadcast batch': {
    shapes: [
      [4, 2, 3],
      [1, 3, 5],
    ],
    f: (x, y) => tf.matMul(x, y),
  },
  'matMul transposed, of rows in batches': {
    shapes: [
      [5, 3],
      [4, 2, 3],
    ],
    f: (x, y) => tf.matMul(x, y, false, true),
  },
  log1p: { shapes: [[3, 4]], f: (x) => tf.log1p(tf.square(x)) },
  'sin and cos': { shapes: [[3, 4]], f: (x) => tf.add(tf.sin(x), tf.cos(tf.square(x))) },
  squaredDifference: { shapes: [[2, 3, 4], [4]], f: (x, y) => tf.squaredDifference(x, y) },
  'squaredDifference, broadcast on the left': {
    shapes: [
      [3, 1],
      [2, 3, 4],
    ],
    f: (x, y) => tf.squaredDifference(x, y),
  },
  prelu: { shapes: [[3, 4], [4]], f: (x, alpha) => tf.prelu(x, alpha), kinked: true },
  'prelu, broadcast along the last axis': {
    shapes: [
      [3, 4],
      [3, 1],
    ],
    f: (x, alpha) => tf.prelu(x, alpha),
    kinked: true,
  },
  'stack and unstack': {
    shapes: [[2, 3, 4]],
    f: (x) => {
      const [a, , c] = tf.unstack(tf.square(x), 1);
      return tf.stack([tf.expandDims(c!, 1), tf.expandDims(tf.mul(a!, c!), 1)], 1);
    },
  },
  'unstack and split where there is one part': {
    shapes: [[3, 1, 2]],
    f: (x) => tf.square(tf.split(tf.unstack(tf.square(x), 1)[0]!, 1, 0)[0]!),
  },
  'logical conditions': {
    shapes: [[3, 4]],
    f: (x) => tf.where(tf.logicalOr(tf.greater(x, 0.1), tf.notEqual(x, x)), tf.square(x), tf.neg(x)),
    kinked: true,
  },
  log: { shapes: [[3, 4]], f: (x) => tf.log(tf.add(tf.square(x), 1)) },
  sigmoid: { shapes: [[3, 4]], f: (x) => tf.sigmoid(x) },
  tanh: { shapes: [[3, 4]], f: (x) => tf.tanh(x) },
  'tanh within a network that takes a derivative itself': {
    shapes: [[3, 4]],
    f: (x) => tf.grad((y) => tf.sum(tf.square(tf.tanh(y))))(x),
  },
  softmax: { shapes: [[3, 4]], f: (x) => tf.softmax(x) },
  softplus: { shapes: [[3, 4]], f: (x) => tf.softplus(x) },
  gelu: { shapes: [[3, 4]], f: (x) => gelu(x) },
  elu: { shapes: [[3, 4]], f: (x) => tf.elu(x), kinked: true },
  relu: { shapes: [[3, 4]], f: (x) => tf.relu(x), kinked: true },
  leakyRelu: { shapes: [[3, 4]], f: (x) => tf.leakyRelu(x), kinked: true },
  logSumExp: { shapes: [[3, 4]], f: (x) => logSumExp(x) },
  'TensorFlow.js logSumExp': { shapes: [[3, 4]], f: (x) => tf.logSumExp(x, 1), kinked: true },
  max: { shapes: [[3, 4]], f: (x) => tf.max(x, 1), kinked: true },
  min: { shapes: [[3, 4]], f: (x) => tf.min(x, 1), kinked: true },
  maximum: {
    shapes: [
      [3, 4],
      [3, 4],
    ],
    f: (x, y) => tf.maximum(x, tf.add(y, 0.01)),
    kinked: true,
  },
  'maximum and minimum, broadcast': {
    shapes: [[2, 3, 4], [4], []],
    f: (x, y, z) => tf.minimum(tf.maximum(x, tf.add(y, 0.01)), tf.add(tf.square(z), 0.123)),
    kinked: true,
  },
  minimum: {
    shapes: [
      [3, 4],
      [3, 4],
    ],
    f: (x, y) => tf.minimum(x, tf.add(y, 0.01)),
    kinked: true,
  },
  where: {
    shapes: [
      [3, 4],
      [3, 4],
    ],
    f: (x, y) => tf.where(tf.greater(x, tf.add(y, 0.01)), tf.square(x), y),
    kinked: true,
  },
  clip: { shapes: [[3, 4]], f: (x) => tf.clipByValue(x, -0.1, 0.1), kinked: true },
  abs: { shapes: [[3, 4]], f: (x) => tf.abs(x), kinked: true },
  matMul: {
    shapes: [
      [4, 5],
      [5, 3],
    ],
    f: (a, b) => tf.matMul(a, b),
  },
  'matMul transposed on the left': {
    shapes: [
      [5, 4],
      [5, 3],
    ],
    f: (a, b) => tf.matMul(a, b, true),
  },
  'matMul transposed': {
    shapes: [
      [5, 4],
      [3, 5],
    ],
    f: (a, b) => tf.matMul(a, b, true, true),
  },
  arithmetic: {
    shapes: [
      [3, 4],
      [3, 4],
    ],
    f: (x, y) => tf.div(tf.sub(tf.mul(x, y), tf.neg(x)), tf.add(tf.square(y), 1)),
  },
  broadcast: { shapes: [[2, 4, 4, 3], [3]], f: (x, b) => tf.mul(tf.add(x, b), b) },
  'sqrt and rsqrt': {
    shapes: [[3, 4]],
    f: (x) => tf.mul(tf.sqrt(tf.add(tf.square(x), 1)), tf.rsqrt(tf.add(tf.square(x), 2))),
  },
  pow: { shapes: [[3, 4]], f: (x) => tf.pow(x, tf.scalar(3)) },
  sum: { shapes: [[3, 4, 2]], f: (x) => tf.sum(tf.square(x), [0, 2], true) },
  mean: { shapes: [[3, 4, 2, 2]], f: (x) => tf.mean(tf.square(x), [1, 2]) },
  shapes: {
    shapes: [[2, 3, 4]],
    f: (x) => {
      const wide = tf.concat([tf.transpose(x, [0, 2, 1]), tf.transpose(tf.square(x), [0, 2, 1])], 2);
      return tf.slice(
        tf.pad(tf.reshape(wide, [8, 6]), [
          [1, 0],
          [0, 2],
        ]),
        [1, 1],
        [6, 6],
      );
    },
  },
  'pow with a variable exponent': {
    shapes: [[3, 4], [4]],
    f: (x, y) => tf.pow(tf.add(tf.square(x), 0.5), y),
  },
  biasAdd: { shapes: [[2, 4, 4, 3], [3]], f: (x, b) => biasAdd(tf.square(x), tf.square(b)) },
  batchNorm: { shapes: [[4, 3, 3, 2], [2], [2]], f: (x, gamma, beta) => batchNorm(x, gamma, beta, 1e-3) },
  'batchNorm of batchNorm': {
    shapes: [[5, 3], [3], [3], [3]],
    f: (x, gamma, beta, w) => batchNorm(tf.mul(batchNorm(x, gamma, beta, 1e-3), w), beta, gamma, 1e-3),
  },
  'batchNorm by given statistics': {
    shapes: [[4, 3, 3, 2], [2], [2], [2]],
    f: (x, mean, beta, gamma) =>
      tf.batchNorm(
        four(x),
        mean as tf.Tensor1D,
        tf.tensor1d([0.5, 2]),
        beta as tf.Tensor1D,
        gamma as tf.Tensor1D,
        1e-3,
      ),
  },
  'batchNorm of rows by given statistics': {
    shapes: [[4, 2], [2], [2], [2]],
    f: (x, variance, beta, gamma) =>
      tf.batchNorm(
        x as tf.Tensor2D,
        tf.tensor1d([0.1, -0.2]),
        tf.add(tf.square(variance), 0.5) as tf.Tensor1D,
        beta as tf.Tensor1D,
        gamma as tf.Tensor1D,
        1e-3,
      ),
  },
  'fused matMul and conv2d': {
    shapes: [[2, 5, 5, 2], [3, 3, 2, 3], [3], [3, 4], [4]],
    f: (x, filter, b, w, c) => {
      const y = tf.fused.conv2d({ x: four(x), filter: four(filter), strides: 1, pad: 'same', bias: b });
      return tf.fused.matMul({ a: tf.tanh(tf.mean(y, [1, 2])), b: w, bias: c });
    },
  },
  'gather of rows': { shapes: [[4, 3]], f: (x) => tf.gather(tf.square(x), tf.tensor1d([2, 0, 2], 'int32')) },
  'gather of the only row': { shapes: [[1, 3]], f: (x) => tf.gather(tf.square(x), tf.tensor1d([0, 0], 'int32')) },
  'gather within rows': {
    shapes: [[2, 4, 3]],
    f: (x) =>
      tf.gather(
        tf.square(x),
        tf.tensor2d(
          [
            [3, 1],
            [1, 1],
          ],
          [2, 2],
          'int32',
        ),
        1,
      ),
  },
  tile: { shapes: [[2, 3]], f: (x) => tf.tile(tf.square(x), [2, 2]) },
  'sum of everything': { shapes: [[3, 4]], f: (x) => tf.sum(tf.square(x)) },
};

/** L(x) = Σ w f(x)² with fixed random w, so that linear functions have a second derivative too. */
function lossOf({ f, shapes }: Case) {
  const weights = tf.tidy(() => randn(f(...shapes.map((s, i) => distinct(s, i))).shape, 77));
  return (...xs: Tensor[]) => tf.sum(tf.mul(tf.square(f(...xs)), weights)) as tf.Scalar;
}

const gradient = (loss: (...xs: Tensor[]) => tf.Scalar, xs: Tensor[]) => tf.grads(loss)(xs);
const product = (loss: (...xs: Tensor[]) => tf.Scalar, xs: Tensor[], v: Tensor[], seen?: Set<string>) =>
  tf.grads((...ys: Tensor[]) => {
    const inner = dot(gradient(loss, ys), v);
    for (const kernel of kernelsOnTape()) seen?.add(kernel ?? 'by hand');
    return inner as tf.Scalar;
  })(xs);

const numbers = async (ts: Tensor[]) => (await Promise.all(ts.map((t) => t.data()))).flatMap((values) => [...values]);
const number = async (t: Tensor) => (await t.data())[0]!;
const length = (a: number[]) => Math.sqrt(a.reduce((s, x) => s + x * x, 0));
const distance = (a: number[], b: number[]) => length(a.map((x, i) => x - b[i]!)) / Math.max(length(b), 1e-12);

describe('second derivatives', () => {
  const seen = new Set<string>();

  it.each(Object.entries(CASES))(
    '%s agrees with differences of its gradient, and H is symmetric',
    async (_name, testCase) => {
      await scoped(async () => {
        const make = testCase.kinked ? distinct : randn;
        const xs = testCase.shapes.map((s, i) => make(s, 10 + i));
        const u = testCase.shapes.map((s, i) => randn(s, 90 + i));
        const v = testCase.shapes.map((s, i) => randn(s, 50 + i));
        const loss = lossOf(testCase);
        const Hv = product(loss, xs, v, seen);
        const Hu = product(loss, xs, u);
        const [uHv, vHu] = [await number(dot(u, Hv)), await number(dot(v, Hu))];
        const [along, whole] = [await numbers(v), await numbers(Hv)];
        expect(Math.abs(uHv - vHu)).toBeLessThan(2e-5 * (length(whole) * length(await numbers(u)) + 1e-6));

        const moved = (scale: number) => xs.map((x, i) => tf.add(x, tf.mul(v[i]!, scale)));
        const errors: number[] = [];
        for (const e of [0.03, 0.01, 0.003, 0.001]) {
          const [plus, minus] = [gradient(loss, moved(e)), gradient(loss, moved(-e))];
          errors.push(distance(whole, await numbers(plus.map((p, i) => tf.div(tf.sub(p, minus[i]!), 2 * e)))));
        }
        expect(Math.min(...errors)).toBeLessThan(4e-3);

        const g = gradient(loss, xs);
        const [exact, most] = [await number(dot(g, v)), length(await numbers(g)) * length(along)];
        const losses: number[] = [];
        for (const e of [0.03, 0.01, 0.003]) {
          const slope = ((await number(loss(...moved(e)))) - (await number(loss(...moved(-e))))) / (2 * e);
          losses.push(Math.abs(slope - exact) / most);
        }
        expect(Math.min(...losses)).toBeLessThan(2e-3);
      });
    },
  );

  it('pass nothing through stopGradient', async () => {
    const x = tf.tensor1d([1, -2, 3]);
    const f = (y: Tensor) => tf.sum(tf.mul(tf.square(y), stopGradient(tf.square(y)))) as tf.Scalar;
    const second = await tf.tidy(() => product((y) => f(y!), [x], [tf.ones([3])], seen)[0]!).data();
    // ∂/∂x of 2x·stop(x²), in which x² is a constant.
    expect([...second]).toEqual([2, 8, 18]);
  });

  it.each<[string, number[], (x: Tensor) => Tensor]>([
    ['max pooling', [1, 6, 6, 2], (x) => tf.maxPool(x as Tensor4D, 2, 2, 'valid')],
    ['max pooling of overlapping windows', [1, 7, 7, 2], (x) => tf.maxPool(x as Tensor4D, 3, 2, 'same')],
    ['the maximum of a row', [6, 6], (x) => tf.max(x, 1)],
  ])('make a symmetric H where several entries tie in %s', async (_name, shape, f) => {
    await scoped(async () => {
      // Few values, so that most windows have ties.
      const x = tf.round(tf.mul(randn(shape, 3), 0.7));
      const [u, v] = [randn(shape, 4), randn(shape, 5)];
      const loss = (y: Tensor) => tf.sum(tf.square(tf.square(f(y)))) as tf.Scalar;
      const [Hu, Hv] = [u, v].map((d) => product((y) => loss(y!), [x], [d])[0]!);
      const [uHv, vHu] = [await number(dot([u], [Hv!])), await number(dot([v], [Hu!]))];
      expect(Math.abs(uHv - vHu)).toBeLessThan(1e-4 * Math.abs(uHv));
    });
  });

  it('are 0 through a cast to whole numbers or truths', async () => {
    const x = tf.tensor1d([1.5, -2.5, 3.25]);
    const through = (type: 'int32' | 'bool') => (y: Tensor) =>
      tf.sum(tf.mul(tf.cast(tf.cast(y, type), 'float32'), y)) as tf.Scalar;
    expect([...(await tf.grad(through('int32'))(x).data())]).toEqual([1, -2, 3]);
    expect([...(await tf.grad(through('bool'))(x).data())]).toEqual([1, 1, 1]);
  });

  it('share a gradient among the entries that tie for the maximum of a row', async () => {
    const x = tf.tensor2d([
      [2, 2, 1],
      [0, 5, 5],
    ]);
    const g = await tf
      .grad((y) => tf.sum(tf.max(y, 1)))(x)
      .data();
    expect([...g]).toEqual([0.5, 0.5, 0, 0, 0.5, 0.5]);
  });

  it('are verified for exactly the kernels that may appear under an objective', () => {
    expect([...seen].sort()).toEqual([...VERIFIED_KERNELS].sort());
  });

  it.each<[string, (x: Tensor) => Tensor, RegExp]>([
    ['an operation', (x) => tf.cumprod(x), /^net: the operation Cumprod is not verified to second order\./],
    [
      'a gradient written by hand',
      (x) => tf.customGrad((y) => ({ value: tf.sin(y as Tensor), gradFunc: (dy) => dy as Tensor }))(x),
      /^net: a gradient written by hand \(tf\.customGrad\) is not verified/,
    ],
  ])('are refused by name where %s is not verified', (_name, f, message) => {
    const check = (x: Tensor) => {
      const y = tf.sum(f(x)) as tf.Scalar;
      requireVerifiedKernels('net');
      return y;
    };
    expect(() => leakFree(() => tf.grad(check)(tf.tensor1d([1, 2])))).toThrow(message);
  });
});

/** Each was wrong without an error, or an abort, in TensorFlow.js as it comes. */
describe('errors of TensorFlow.js that are mended', () => {
  it.each<[string, (x: Tensor) => Tensor, (x: number) => number]>([
    ['exp', tf.exp, Math.exp],
    ['tanh', tf.tanh, (x) => -2 * Math.tanh(x) * (1 - Math.tanh(x) ** 2)],
    [
      'sigmoid',
      tf.sigmoid,
      (x) => {
        const s = 1 / (1 + Math.exp(-x));
        return s * (1 - s) * (1 - 2 * s);
      },
    ],
  ])('the second derivative of %s', async (_name, f, truth) => {
    const xs = [-1.5, -0.2, 0.7, 2];
    const second = await tf
      .grad((x) => tf.sum(tf.grad((y) => tf.sum(f(y)))(x)))(tf.tensor1d(xs))
      .data();
    expect([...second]).toEqual(xs.map((x) => expect.closeTo(truth(x), 5)));
  });

  it('the second derivative of softmax', async () => {
    const z = [0.3, -1, 0.5];
    const p = z.map((x) => Math.exp(x) / z.reduce((s, y) => s + Math.exp(y), 0));
    // The Hessian of the first output of softmax, along e₀: ∂/∂z of p₀(1 − p₀) = p₀(1 − 2p₀)(δ − p).
    const first = (x: Tensor) => tf.sum(tf.mul(tf.softmax(x), [1, 0, 0])) as tf.Scalar;
    const second = await tf
      .grad((x) => tf.sum(tf.mul(tf.grad(first)(x), [1, 0, 0])))(tf.tensor1d(z))
      .data();
    expect([...second]).toEqual(p.map((q, k) => expect.closeTo(p[0]! * (1 - 2 * p[0]!) * ((k === 0 ? 1 : 0) - q), 5)));
  });

  it('the gradient of max pooling where no value of a window is positive', async () => {
    const x = tf.tensor4d([-3, -1, -2, -4, 0, 0, 0, -1], [2, 2, 2, 1]);
    const g = await tf
      .grad((y) => tf.sum(tf.mul(tf.maxPool(y as Tensor4D, 2, 2, 'valid'), 5)))(x)
      .data();
    expect([...g]).toEqual([0, 5, 0, 0, 5, 0, 0, 0]);
  });

  it('products with one matrix in two shapes', async () => {
    const b = tf.tensor(
      Float32Array.from({ length: 12 }, (_, k) => k),
      [3, 4],
    );
    const first = tf.matMul(tf.ones([2, 3]), b as tf.Tensor2D);
    const second = tf.matMul(tf.ones([2, 4]), tf.reshape(b, [4, 3]) as tf.Tensor2D);
    expect([...(await first.data())]).toEqual([12, 15, 18, 21, 12, 15, 18, 21]);
    expect([...(await second.data())]).toEqual([18, 22, 26, 18, 22, 26]);
  });

  it('sums of a million numbers', async () => {
    const x = tf.fill([1000, 1000], 0.1);
    const truth = Math.fround(0.1) * 1e6;
    expect(Math.abs((await number(tf.sum(x))) / truth - 1)).toBeLessThan(5e-6);
    expect(Math.abs((await number(tf.mean(x))) / Math.fround(0.1) - 1)).toBeLessThan(5e-6);
    expect(Math.abs((await tf.sum(x, 0).data())[7]! / (truth / 1000) - 1)).toBeLessThan(5e-6);
  });

  it.each(['forward', 'first backward', 'second backward'])(
    'tensors left behind when the %s pass throws',
    async (stage) => {
      const x = tf.tensor1d([1, 2, 3]);
      const before = tf.memory().numTensors;
      const fail = (): never => {
        throw new Error(stage);
      };
      const twice = (w: Tensor, gradFunc: (dy: Tensor) => Tensor) =>
        tf.customGrad((v) => ({ value: tf.mul(v as Tensor, 2), gradFunc: (dy) => gradFunc(dy as Tensor) }))(w);
      const f = (y: Tensor) => {
        const z = tf.tanh(tf.exp(y));
        if (stage === 'forward') fail();
        return tf.sum(
          tf.square(
            twice(z, (dy) => {
              if (stage === 'first backward') fail();
              return twice(dy, fail);
            }),
          ),
        );
      };
      expect(() =>
        leakFree(() =>
          tf.grad((y) => {
            const g = tf.grad(f)(y);
            return tf.sum(tf.square(g));
          })(x),
        ),
      ).toThrow(stage);
      expect(tf.memory().numTensors).toBe(before);
      expect([
        ...(await tf
          .grad((y) => tf.sum(tf.square(y)))(x)
          .data()),
      ]).toEqual([2, 4, 6]);
    },
  );
});
