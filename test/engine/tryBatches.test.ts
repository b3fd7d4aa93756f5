import type { Tensor, Tensor2D } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ArraysOptions, arrays } from '../../src/datasets/arrays.ts';
import { batchNorm } from '../../src/engine/kernels/ops.ts';
import type { Loss } from '../../src/engine/Loss.ts';
import type { Model } from '../../src/engine/Model.ts';
import { empiricalRisk } from '../../src/engine/risk/empiricalRisk.ts';
import { generator, normals } from '../../src/linalg/random.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { meanSquaredError } from '../../src/losses/meanSquaredError.ts';

const N = 12;
const normal = (seed: number, count: number) => Float32Array.from(normals(generator(seed), count));
const flat: ArraysOptions = {
  inputShape: [4],
  inputs: normal(1, 4 * N),
  labels: Array.from({ length: N }, (_, i) => (i * i) % 3),
  classes: 3,
};
const data = arrays(flat);
const linear = (forward: (product: Tensor, w: Tensor, x: Tensor) => Tensor, more: Partial<Model> = {}): Model => ({
  name: 'mine',
  config: {},
  inputShape: [4],
  outputCount: 3,
  parameters: [{ name: 'w', shape: [4, 3], initializer: { distribution: 'normal', scale: 0.5 } }],
  forward: ([w], x) => forward(tf.matMul(x as Tensor2D, w as Tensor2D), w!, x),
  ...more,
});
const plain = linear((z) => z);
const normalized = (more: Partial<Model> = {}) => linear((z) => batchNorm(z, tf.ones([3]), tf.zeros([3]), 1e-5), more);
const risk = (model: Model, loss: Loss = crossEntropy, more: object = {}) =>
  empiricalRisk({ model, data, loss, ...more });
const lossOf = (perExample: Loss['perExample']): Loss => ({ name: 'odd', config: {}, perExample });

describe('what is no function of its arguments', () => {
  it('is refused where forward tosses a coin, whatever falls', async () => {
    for (let k = 0; k < 20; k++) {
      const random = generator(k);
      const noisy = linear((z) => tf.mul(z, normals(random, 1)[0]! > 0 ? 1 : 0.2));
      await expect(risk(noisy)).rejects.toThrow('empiricalRisk: forward of the model mine returned');
    }
  });

  it('is refused where forward counts its calls, though its last weights begin at 0', async () => {
    let calls = 0;
    const counting = linear((z) => tf.mul(z, 1 + 1e-3 * calls++), {
      parameters: [{ name: 'w', shape: [4, 3], initializer: { distribution: 'constant', scale: 0 } }],
    });
    await expect(risk(counting)).rejects.toThrow(
      'for the same arguments. It must be a function of them alone: no dropout',
    );
  });

  it('is refused where it is the loss', async () => {
    let calls = 0;
    const counting = lossOf((z, y) => tf.mul(crossEntropy.perExample(z, y), 1 + 0.01 * calls++));
    await expect(risk(plain, counting)).rejects.toThrow('empiricalRisk: perExample of the loss odd returned');
  });
});

describe('examples that depend on each other', () => {
  it('are found, and give the same as where the model says so', async () => {
    const [found, said] = [await risk(normalized()), await risk(normalized({ coupled: true }))];
    expect([found.coupled, said.coupled, (await risk(plain)).coupled]).toEqual([true, true, false]);
    const [w, v] = [normal(3, 12), normal(4, 12)];
    expect(await found.at(w).loss()).toBe(await said.at(w).loss());
    expect((await found.at(w).hessianVector(v)).product).toEqual((await said.at(w).hessianVector(v)).product);
    expect((await found.at(w).hessianVector(v)).projections).toBeNull();
  });

  it('are found among two, and with targets that are all the same', async () => {
    const two = arrays({ ...flat, inputs: normal(1, 8), labels: [0, 0] });
    expect((await empiricalRisk({ model: normalized(), data: two, loss: crossEntropy })).coupled).toBe(true);
    expect((await empiricalRisk({ model: plain, data: two, loss: crossEntropy })).coupled).toBe(false);
  });

  it('are refused where the model says that they are not', async () => {
    await expect(risk(normalized({ coupled: false }))).rejects.toThrow(
      'empiricalRisk: the model mine says coupled: false, and its outputs for one example change with the others',
    );
  });

  it('are found where the order of a batch counts', async () => {
    const ranked = linear((z) =>
      tf.mul(
        z,
        Array.from({ length: z.shape[0]! }, (_, k) => [k + 1]),
      ),
    );
    expect((await risk(ranked)).coupled).toBe(true);
  });

  it('are found where the loss divides by the mean weight of the batch', async () => {
    const weight = (y: Tensor) => tf.sum(tf.mul(y, [1, 2, 5]), 1);
    const balanced = lossOf((z, y) => {
      const w = weight(y);
      return tf.mul(crossEntropy.perExample(z, y), tf.div(w, tf.mean(w)));
    });
    const weighted = lossOf((z, y) => tf.mul(crossEntropy.perExample(z, y), weight(y)));
    expect((await risk(plain, balanced)).coupled).toBe(true);
    expect((await risk(plain, weighted)).coupled).toBe(false);
    await expect((await risk(plain, balanced)).at(normal(3, 12)).exampleLosses()).rejects.toThrow('is not defined');
  });

  describe('and are not', () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    afterEach(() => warn.mockClear());

    it('are told', async () => {
      expect((await risk(linear((z) => z, { coupled: true }))).coupled).toBe(true);
      expect(warn.mock.calls.flat().join(' ')).toContain('says coupled: true, and on three examples none');
      warn.mockClear();
      await risk(normalized({ coupled: true }));
      expect(warn).not.toHaveBeenCalled();
    });
  });
});

describe('outputs that are shares', () => {
  const soft = linear((z) => tf.softmax(z as Tensor2D));

  it('are refused where the loss takes logits, and taken elsewhere', async () => {
    await expect(risk(soft)).rejects.toThrow(
      'empiricalRisk: the model mine returns shares that sum to 1, as behind a softmax, and the loss',
    );
    await risk(soft, meanSquaredError);
    await risk(linear((z) => tf.sigmoid(z)));
  });
});

it("a model's penalty is a part of every example's loss, with both its derivatives", async () => {
  const decay = 0.3;
  const penalized = linear((z) => z, { penalty: ([w]) => tf.mul(decay / 2, tf.sum(tf.square(w!))) });
  const [w, v, u] = [normal(3, 12), normal(4, 12), Float64Array.from({ length: N }, (_, i) => i - 3)];
  const [with_, without] = [(await risk(penalized, crossEntropy, { chunk: 5 })).at(w), (await risk(plain)).at(w)];
  const square = w.reduce((sum, x) => sum + x * x, 0);
  expect(await with_.loss()).toBeCloseTo((await without.loss()) + (decay / 2) * square, 5);
  const near = (a: Float32Array, b: Float32Array, of: Float32Array, scale: number) =>
    a.forEach((x, k) => {
      expect(x).toBeCloseTo(b[k]! + scale * of[k]!, 4);
    });
  near(await with_.gradient(), await without.gradient(), w, decay);
  near((await with_.hessianVector(v)).product, (await without.hessianVector(v)).product, v, decay);
  const [some, other] = [Int32Array.of(1, 4, 7), Int32Array.of(3)];
  near(await with_.batchHessianVector(some, v), await without.batchHessianVector(some, v), v, decay);
  near((await with_.batchGradient(other)).gradient, (await without.batchGradient(other)).gradient, w, decay);
  near(await with_.weightedGradient(u), await without.weightedGradient(u), w, decay * u.reduce((a, b) => a + b, 0));
});

it('a penalty that is no scalar is refused', async () => {
  await expect(risk(linear((z) => z, { penalty: ([w]) => tf.square(w!) }))).rejects.toThrow(
    'empiricalRisk: penalty of the model mine returned a tensor of shape [4,3]. It must return a scalar',
  );
  await expect(risk(linear((z) => z, { penalty: 0.1 as never }))).rejects.toThrow('model.penalty is 0.1. It must be a');
  expect((await risk(linear((z) => z, { penalty: () => null }))).exampleNorms).toBe(true);
});
