import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import type { Objective } from '../../src/core/Objective.ts';
import { arrays } from '../../src/datasets/arrays.ts';
import { batchNorm } from '../../src/engine/kernels/ops.ts';
import type { Loss } from '../../src/engine/Loss.ts';
import type { Model, Parameter } from '../../src/engine/Model.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { addScaled, dot, norm } from '../../src/linalg/vector.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { meanSquaredError } from '../../src/losses/meanSquaredError.ts';
import { cnn } from '../../src/models/cnn.ts';
import { mlp } from '../../src/models/mlp.ts';
import { everything as all } from '../helpers/everything.ts';

const normal = (seed: number, count: number) => Float32Array.from(normals(generator(seed), count));
const parameter = (name: string, shape: number[]): Parameter => ({
  name,
  shape,
  initializer: { distribution: 'normal', scale: 0.5 },
});

/** Every axis of length one that a parameter can have. */
const thin: Model = {
  name: 'thin',
  config: {},
  inputShape: [4],
  outputCount: 3,
  parameters: [
    parameter('a', [4, 1]),
    parameter('b', [1, 3]),
    parameter('c', [1]),
    parameter('d', [1, 1]),
    parameter('e', []),
    parameter('f', [1, 3]),
  ],
  forward: ([a, b, c, d, e, f], x) => {
    const hidden = tf.tanh(tf.mul(tf.add(tf.matMul(x as Tensor2D, a as Tensor2D), c!), d!));
    return tf.add(tf.mul(e!, tf.matMul(hidden as Tensor2D, b as Tensor2D)), f!);
  },
};
const MODELS: [string, Model][] = [
  ['parameters of length one', thin],
  ['a hidden layer of one unit', mlp({ inputs: 4, hidden: [1], outputs: 3, activation: 'tanh' })],
  ['one output', mlp({ inputs: 4, hidden: [1, 5], outputs: 1, activation: 'tanh' })],
  ['one input and one output', mlp({ inputs: 1, hidden: [5], outputs: 1, activation: 'tanh' })],
  ['one channel', cnn({ inputShape: [4, 4, 1], channels: [1, 1], outputs: 1, activation: 'tanh' })],
  ['some channels', cnn({ inputShape: [4, 4, 2], channels: [3, 2], outputs: 3, activation: 'tanh' })],
];

/** Everything that an objective says at a point, by every way there is. */
async function everything(objective: Objective): Promise<Record<string, ArrayLike<number>>> {
  const { paramCount: m, exampleCount: n } = objective;
  const point = objective.at(normal(3, m));
  const v = normal(4, m);
  const backwards = Int32Array.from({ length: n }, (_, i) => n - 1 - i);
  const batch = await point.batchGradient(backwards);
  const products = [await point.hessianVector(v), await point.hessianVector(v.slice())];
  return {
    gradient: await point.gradient(),
    losses: await point.exampleLosses(),
    test: (await point.performance('test')).exampleLosses!,
    product: products[0]!.product,
    'second product': products[1]!.product,
    projections: products[0]!.projections!,
    'second projections': products[1]!.projections!,
    weighted: await point.weightedGradient(Float64Array.from({ length: n }, (_, i) => i - 1.5)),
    batch: batch.gradient,
    'losses of the batch': batch.exampleLosses!,
    'product of the batch': await point.batchHessianVector(backwards, v),
    norms: await point.exampleNormsSquared(),
  };
}

const near = (a: ArrayLike<number>, b: ArrayLike<number>, relative: number, what: string) => {
  const [x, y] = [Float64Array.from(a), Float64Array.from(b)];
  const error = x.slice();
  addScaled(error, y, -1);
  expect(norm(error), what).toBeLessThanOrEqual(relative * norm(y));
};

describe.each(MODELS)('with %s', (_name, model) => {
  const size = model.inputShape.reduce((a, b) => a * b, 1);
  const risk = (n: number, chunk: number) => {
    const examples = { inputs: normal(1, n * size), targets: normal(2, n * model.outputCount) };
    const data = arrays({ inputShape: model.inputShape, ...examples, test: examples });
    return empiricalRisk({ model, data, loss: meanSquaredError, chunk });
  };

  it.each(all ? [1, 2, 5, 9] : [1, 5])('every pass over %i examples is the same in chunks of any size', async (n) => {
    const whole = await everything(await risk(n, n));
    for (const chunk of [1, 2, n - 1, n + 1].filter((count) => count > 0)) {
      const parts = await everything(await risk(n, chunk));
      for (const [what, values] of Object.entries(whole)) near(parts[what]!, values, 1e-5, `${what} in ${chunk}`);
    }
  });

  it('the norms are those of single gradients', async () => {
    const point = (await risk(5, 4)).at(normal(3, (await risk(5, 4)).paramCount));
    const singles: number[] = [];
    for (let i = 0; i < 5; i++) {
      const { gradient } = await point.batchGradient(Int32Array.of(i));
      singles.push(dot(gradient, gradient));
    }
    near(await point.exampleNormsSquared(), singles, 1e-4, 'norms');
  });
});

describe('at the ends of float32', () => {
  const linear = mlp({ inputs: 2, hidden: [], outputs: 2, activation: 'tanh' });

  it.each([1e-30, 1e-22, 1e-15, 1, 1e15, 1e18])('squared norms of gradients of size %f are right', async (scale) => {
    const inputs = normal(1, 8);
    const targets = normal(2, 8).map((y) => y * scale);
    const data = arrays({ inputShape: [2], inputs, targets });
    const point = (await empiricalRisk({ model: linear, data, loss: meanSquaredError })).at(
      normal(3, 6).map((w) => w * scale),
    );
    const norms = await point.exampleNormsSquared();
    for (const [i, square] of norms.entries()) {
      const { gradient } = await point.batchGradient(Int32Array.of(i));
      expect(square / dot(gradient, gradient)).toBeCloseTo(1, 4);
    }
  });

  it('squared norms beyond float32 are right where the gradients are within', async () => {
    const data = arrays({ inputShape: [2], inputs: normal(1, 8).map((x) => 1e10 * x), targets: normal(2, 8) });
    const point = (await empiricalRisk({ model: linear, data, loss: meanSquaredError })).at(
      normal(3, 6).map((w) => 1e6 * w),
    );
    for (const [i, square] of (await point.exampleNormsSquared()).entries()) {
      const { gradient } = await point.batchGradient(Int32Array.of(i));
      expect(dot(gradient, gradient)).toBeGreaterThan(3.5e38);
      expect(square / dot(gradient, gradient)).toBeCloseTo(1, 4);
    }
  });

  it('squared norms of small gradients are right beside large ones', async () => {
    // Of inputs and targets: gradients of size 1, 1e-25, 1e-30 and 1e20.
    const scales = [
      [1, 1],
      [1e-25, 1],
      [1e-15, 1e-15],
      [1e10, 1],
    ] as const;
    const of = (which: 0 | 1) => (value: number, k: number) => value * scales[(k >> 1) % 4]![which];
    const data = arrays({ inputShape: [2], inputs: normal(1, 16).map(of(0)), targets: normal(2, 16).map(of(1)) });
    const biasless: Model = {
      name: 'biasless',
      config: {},
      inputShape: [2],
      outputCount: 2,
      parameters: [parameter('w', [2, 2])],
      forward: ([w], x) => tf.matMul(x as Tensor2D, w as Tensor2D),
    };
    const point = (await empiricalRisk({ model: biasless, data, loss: meanSquaredError, chunk: 3 })).at(normal(3, 4));
    const norms = await point.exampleNormsSquared();
    for (const [i, square] of norms.entries()) {
      // x_i δ_iᵀ, in float64.
      const x = data.train.inputs.subarray(2 * i, 2 * i + 2);
      const y = data.train.targets.subarray(2 * i, 2 * i + 2);
      const w = normal(3, 4);
      const delta = [0, 1].map((c) => x[0]! * w[c]! + x[1]! * w[2 + c]! - y[c]!);
      const truth = (x[0]! ** 2 + x[1]! ** 2) * (delta[0]! ** 2 + delta[1]! ** 2);
      expect(square / truth).toBeCloseTo(1, 3);
    }
  });

  it.each([1e-34, 1e-30, 1e-22, 1e-15, 1, 1e15, 1e25])('losses of residuals of size %f are right', async (scale) => {
    // Trial passes refuse targets whose loss is infinite at θ_0: large residuals come of large weights.
    const targets = normal(2, 8).map((y) => y * Math.min(scale, 1));
    const examples = { inputs: normal(1, 8), targets };
    const data = arrays({ inputShape: [2], ...examples, test: examples });
    const theta = normal(3, 6).map((w) => w * scale);
    const point = (await empiricalRisk({ model: linear, data, loss: meanSquaredError, chunk: 3 })).at(theta);
    const { inputs } = examples;
    const truth = Array.from({ length: 4 }, (_, i) => {
      const residuals = [0, 1].map(
        (c) => inputs[2 * i]! * theta[c]! + inputs[2 * i + 1]! * theta[2 + c]! + theta[4 + c]! - targets[2 * i + c]!,
      );
      return (residuals[0]! ** 2 + residuals[1]! ** 2) / 2;
    });
    const mean = truth.reduce((a, b) => a + b, 0) / 4;
    expect((await point.loss()) / mean).toBeCloseTo(1, 4);
    expect((await point.performance('test')).loss / mean).toBeCloseTo(1, 4);
    for (const [i, l] of (await point.exampleLosses()).entries()) expect(l / truth[i]!).toBeCloseTo(1, 3);
    const batch = await point.batchGradient(Int32Array.of(2, 0));
    expect(batch.loss / ((truth[0]! + truth[2]!) / 2)).toBeCloseTo(1, 3);
    expect(batch.exampleLosses![0]! / truth[2]!).toBeCloseTo(1, 3);
  });

  it('and so are those of a loss of another degree', async () => {
    const quartic: Loss = {
      name: 'quartic',
      config: {},
      degree: 4,
      perExample: (f, y) => tf.sum(tf.square(tf.square(tf.sub(f, y))), -1),
    };
    const data = arrays({ inputShape: [2], inputs: [1, 0], targets: [0, 0] });
    const objective = await empiricalRisk({ model: linear, data, loss: quartic });
    for (const residual of [1e-12, 1e-8, 1e-7, 1, 1e7, 1e8, 1e12]) {
      const loss = await objective.at(Float32Array.of(residual, 0, 0, 0, 0, 0)).loss();
      expect(loss / residual ** 4, `${residual}`).toBeCloseTo(1, 5);
    }
  });

  it('losses are 0 where outputs are their targets, of any size', async () => {
    const inputs = Float32Array.of(1, 0, 0, 1);
    for (const scale of [1e-30, 1, 1e18]) {
      const theta = Float32Array.of(scale, 0, 0, scale, 0, 0);
      const data = arrays({ inputShape: [2], inputs, targets: inputs.map((x) => x * scale) });
      const point = (await empiricalRisk({ model: linear, data, loss: meanSquaredError })).at(theta);
      expect([...(await point.exampleLosses())]).toEqual([0, 0]);
      expect(await point.loss()).toBe(0);
    }
  });

  it('a penalty is added to losses that are computed again', async () => {
    const decayed: Model = { ...linear, name: 'decayed', penalty: ([w]) => tf.mul(tf.sum(tf.square(w!)), 0.5) };
    const data = arrays({ inputShape: [2], inputs: [0, 0], targets: [1e-25, 0] });
    const theta = Float32Array.of(1e-12, 0, 0, 0, 0, 0);
    const point = (await empiricalRisk({ model: decayed, data, loss: meanSquaredError })).at(theta);
    expect((await point.loss()) / 5e-25).toBeCloseTo(1, 5);
  });

  it('sums weighted by tiny and huge numbers are right', async () => {
    const data = arrays({ inputShape: [2], inputs: normal(1, 8), targets: normal(2, 8) });
    const point = (await empiricalRisk({ model: linear, data, loss: meanSquaredError })).at(normal(3, 6));
    const u = Float64Array.of(1, -2, 0.5, 3);
    const plain = await point.weightedGradient(u);
    for (const scale of [2 ** -140, 2 ** -100, 2 ** 100]) {
      const scaled = await point.weightedGradient(u.map((x) => x * scale));
      const truth = plain.map((g) => g * scale);
      scaled.forEach((g, k) => {
        expect(Math.abs(g - truth[k]!)).toBeLessThanOrEqual(1e-6 * Math.abs(truth[k]!) + 2 ** -148);
      });
    }
  });

  it('are 0 where every gradient is', async () => {
    const data = arrays({ inputShape: [2], inputs: new Float32Array(4), targets: [0, 0, 0, 0] });
    const point = (await empiricalRisk({ model: linear, data, loss: meanSquaredError })).at(new Float32Array(6));
    expect([...(await point.exampleNormsSquared())]).toEqual([0, 0]);
  });

  it('a variance that float32 cannot hold normalises to NaN, not to 0', async () => {
    const model: Model = {
      name: 'normalized',
      config: {},
      inputShape: [2],
      outputCount: 2,
      parameters: [parameter('w', [2, 2])],
      forward: ([w], x) => batchNorm(tf.matMul(x as Tensor2D, w as Tensor2D) as Tensor, tf.ones([2]), tf.zeros([2])),
    };
    const labelled = { inputShape: [2], classes: 2, labels: [0, 1, 1, 0] };
    const risk = (scale: number) =>
      empiricalRisk({
        model,
        data: arrays({ ...labelled, inputs: normal(1, 8).map((x) => x * scale) }),
        loss: crossEntropy,
      });
    await expect(risk(1e25)).rejects.toThrow('forward of the model normalized returned NaN for the first two examples');
    const [one, other] = [await risk(1), await risk(1e15)];
    const w = normal(3, 4).map((x) => 100 * x);
    expect(await other.at(w).loss()).toBeCloseTo(await one.at(w).loss(), 4);
  });
});
