import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Loss } from '../../src/engine/Loss.ts';
import { type EngineName, openEngine } from '../../src/engine/openEngine.ts';
import { crossEntropy } from '../../src/losses/crossEntropy.ts';
import { meanSquaredError } from '../../src/losses/meanSquaredError.ts';
import { scoped } from '../helpers/scoped.ts';

beforeAll(async () => {
  await openEngine((process.env.BRINK_ENGINE ?? 'wasm') as EngineName);
});

const Z = [
  [0.3, -1.1, 2],
  [-4, 0.5, 0.25],
];
const Y = [
  [0, 1, 0],
  [0.2, 0.3, 0.5],
];
const V = [
  [1, -0.5, 0.7],
  [0.1, 2, -1],
];
const softmax = (z: number[]) => {
  const sum = z.reduce((s, x) => s + Math.exp(x), 0);
  return z.map((x) => Math.exp(x) / sum);
};
const inner = (a: number[], b: number[]) => a.reduce((s, x, c) => s + x * b[c]!, 0);

const losses = (loss: Loss, z: number[][], y: number[][]) =>
  scoped(async () => [...(await loss.perExample(tf.tensor2d(z), tf.tensor2d(y)).data())]);

/** ∂ Σ_i ℓ_i/∂z, and its derivative along v. */
function derivatives(loss: Loss, z: number[][], y: number[][], v: number[][]) {
  return scoped(async () => {
    const total = (x: Tensor) => tf.sum(loss.perExample(x, tf.tensor2d(y))) as tf.Scalar;
    const along = (x: Tensor) => tf.sum(tf.mul(tf.grad(total)(x), tf.tensor2d(v))) as tf.Scalar;
    const x = tf.tensor2d(z);
    return { first: await tf.grad(total)(x).data(), second: await tf.grad(along)(x).data() };
  });
}
const near = (expected: number[][], digits = 5) => expected.flat().map((x) => expect.closeTo(x, digits));

describe('cross-entropy', () => {
  it('is −Σ y log softmax(z)', async () => {
    const expected = Z.map((z, i) => -inner(Y[i]!, softmax(z).map(Math.log)));
    expect(await losses(crossEntropy, Z, Y)).toEqual(near([expected]));
  });

  it('has the gradient softmax(z) − y, and diag(p) − p pᵀ as its Hessian', async () => {
    const { first, second } = await derivatives(crossEntropy, Z, Y, V);
    const p = Z.map(softmax);
    expect([...first]).toEqual(near(p.map((row, i) => row.map((q, c) => q - Y[i]![c]!))));
    expect([...second]).toEqual(near(p.map((row, i) => row.map((q, c) => q * (V[i]![c]! - inner(row, V[i]!))))));
  });

  it('neither overflows nor loses its derivatives at logits of ±1000', async () => {
    const z = [[1000, -1000, 999]];
    expect(await losses(crossEntropy, z, [[0, 1, 0]])).toEqual(near([[2000 + Math.log1p(Math.exp(-1))]], 3));
    const { first, second } = await derivatives(crossEntropy, z, [[1, 0, 0]], [[1, 1, 0]]);
    const p = 1 / (1 + Math.exp(-1));
    expect([...first]).toEqual(near([[p - 1, 0, 1 - p]]));
    expect([...second]).toEqual(near([[p * (1 - p), 0, -p * (1 - p)]]));
  });
});

describe('squared error', () => {
  it('is half the sum over the outputs, not their mean', async () => {
    expect(await losses(meanSquaredError, [[1, 2, 3]], [[0, 0, 0]])).toEqual([7]);
    expect(await losses(meanSquaredError, Z, Y)).toEqual(
      near([Z.map((z, i) => 0.5 * z.reduce((s, x, c) => s + (x - Y[i]![c]!) ** 2, 0))]),
    );
  });

  it('has the gradient f − y, and the identity as its Hessian', async () => {
    const { first, second } = await derivatives(meanSquaredError, Z, Y, V);
    expect([...first]).toEqual(near(Z.map((z, i) => z.map((x, c) => x - Y[i]![c]!))));
    expect([...second]).toEqual(near(V));
  });
});
