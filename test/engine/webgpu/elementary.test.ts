import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { openEngine } from '../../../src/engine/openEngine.ts';

beforeAll(async () => {
  await openEngine('webgpu');
});

const OWN = { exp: tf.exp, log: tf.log, tanh: tf.tanh };

async function computed(name: 'exp' | 'log' | 'tanh', values: readonly number[]): Promise<number[]> {
  const x = tf.tensor1d([...values], 'float32');
  const y = OWN[name](x);
  const found = await y.data();
  tf.dispose([x, y]);
  return Array.from(found);
}

const between = (least: number, most: number) =>
  Array.from({ length: 1000 }, (_, k) => Math.fround(least + ((most - least) * (k + 0.5)) / 1000));

it.each([
  ['exp', between(-87, 88.5)],
  ['exp', between(-1, 1)],
  ['log', between(0.5, 2)],
  ['log', between(-80, 80).map((x) => Math.fround(Math.exp(x)))],
  ['tanh', between(-1e-3, 1e-3)],
  ['tanh', between(-12, 12)],
] as const)('%s is right to a place or two of float32, and errs in no direction', async (name, values) => {
  const errors = (await computed(name, values)).map((y, k) => y / Math[name](values[k]!) - 1);
  expect(Math.max(...errors.map(Math.abs))).toBeLessThan(2 ** -22);
  expect(Math.abs(errors.reduce((sum, error) => sum + error, 0) / errors.length)).toBeLessThan(2 ** -26);
});

it.each(['exp', 'log', 'tanh'] as const)(
  '%s of what is no number, infinite, 0 or at the end of float32',
  async (name) => {
    const values = [Number.NaN, Infinity, -Infinity, 0, -0, -1, 88.7, 88.8, 3e38, 1e-30, -104.5, Math.fround(1e-40)];
    const found = await computed(name, values);
    found.forEach((y, k) => {
      const exact = Math.fround(Math[name](Math.fround(values[k]!)));
      // The device may take what is smaller than its least number for 0.
      if (Math.abs(exact) < 1e-37) expect(Math.abs(y), `${values[k]}`).toBeLessThan(1e-37);
      else if (Number.isFinite(exact)) expect(y / exact, `${values[k]}`).toBeCloseTo(1, 6);
      else expect(y, `${values[k]}`).toBe(exact);
    });
  },
);
