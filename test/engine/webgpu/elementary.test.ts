import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { openEngine } from '../../../src/engine/openEngine.ts';

beforeAll(async () => {
  await openEngine('webgpu');
});

/** erf by its series, and by the continued fraction of 1 − erf where that converges faster. */
function erf(x: number): number {
  const z = Math.abs(x);
  if (z < 3) {
    let [term, sum] = [z, z];
    for (let k = 1; k < 120; k++) {
      term *= (-z * z) / k;
      sum += term / (2 * k + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let rest = 0;
  for (let k = 60; k > 0; k--) rest = k / 2 / (z + rest);
  return Math.sign(x) * (1 - Math.exp(-z * z) / Math.sqrt(Math.PI) / (z + rest));
}
const logistic = (x: number) => (x < 0 ? Math.exp(x) : 1) / (1 + Math.exp(-Math.abs(x)));
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const elu = (x: number) => (x > 0 ? x : Math.expm1(x));
const selu = (x: number) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * Math.expm1(x));

/** Functions on the device, and in float64. */
const OWN = {
  exp: [tf.exp, Math.exp],
  expm1: [tf.expm1, Math.expm1],
  log: [tf.log, Math.log],
  log1p: [tf.log1p, Math.log1p],
  tanh: [tf.tanh, Math.tanh],
  sigmoid: [tf.sigmoid, logistic],
  softplus: [tf.softplus, softplus],
  erf: [tf.erf, erf],
  elu: [tf.elu, elu],
  selu: [tf.selu, selu],
} as const;
type Name = keyof typeof OWN;

async function computed(name: Name, values: readonly number[]): Promise<number[]> {
  const x = tf.tensor1d([...values], 'float32');
  const y = OWN[name][0](x);
  const found = await y.data();
  tf.dispose([x, y]);
  return Array.from(found);
}

const between = (least: number, most: number) =>
  Array.from({ length: 1000 }, (_, k) => Math.fround(least + ((most - least) * (k + 0.5)) / 1000));

it.each<[Name, number[]]>([
  ['exp', between(-87, 88.5)],
  ['exp', between(-1, 1)],
  ['log', between(0.5, 2)],
  ['log', between(-80, 80).map((x) => Math.fround(Math.exp(x)))],
  ['tanh', between(-1e-3, 1e-3)],
  ['tanh', between(-12, 12)],
  ['expm1', between(-1e-3, 1e-3)],
  ['expm1', between(-1, 1)],
  ['expm1', between(-87, 88)],
  ['log1p', between(-1e-3, 1e-3)],
  ['log1p', between(-0.999, 1)],
  ['log1p', between(0, 80).map((x) => Math.fround(Math.exp(x)))],
  ['sigmoid', between(-1, 1)],
  ['sigmoid', between(-86, 88)],
  ['softplus', between(-1, 1)],
  ['softplus', between(-86, 88)],
  ['erf', between(-1e-3, 1e-3)],
  ['erf', between(-5, 5)],
  ['elu', between(-1, 1)],
  ['selu', between(-9, 9)],
])('%s is right to a place or two of float32, and errs in no direction', async (name, values) => {
  const errors = (await computed(name, values)).map((y, k) => y / OWN[name][1](values[k]!) - 1);
  expect(Math.max(...errors.map(Math.abs))).toBeLessThan(2 ** -22);
  expect(Math.abs(errors.reduce((sum, error) => sum + error, 0) / errors.length)).toBeLessThan(2 ** -26);
});

it.each(Object.keys(OWN) as Name[])('%s of what is no number, infinite, 0 or at the end of float32', async (name) => {
  const values = [
    Number.NaN,
    Infinity,
    -Infinity,
    0,
    -0,
    -1,
    88.7,
    88.8,
    88,
    -88,
    3e38,
    1e-30,
    -104.5,
    Math.fround(1e-40),
  ];
  const found = await computed(name, values);
  found.forEach((y, k) => {
    const exact = Math.fround(OWN[name][1](Math.fround(values[k]!)));
    // The device may take what is smaller than its least number for 0.
    if (Math.abs(exact) < 1e-37) expect(Math.abs(y), `${values[k]}`).toBeLessThan(1e-37);
    else if (Number.isFinite(exact)) expect(y / exact, `${values[k]}`).toBeCloseTo(1, 6);
    else expect(y, `${values[k]}`).toBe(exact);
  });
});

it('softmax takes exp from here, and makes no number of NaN', async () => {
  const x = tf.tensor2d([
    [-20, 0, 1],
    [Number.NaN, 0, 1],
  ]);
  const y = tf.softmax(x);
  const found = Array.from(await y.data());
  tf.dispose([x, y]);
  const sum = Math.exp(-20) + 1 + Math.E;
  expect(found[0]! / (Math.exp(-20) / sum)).toBeCloseTo(1, 6);
  expect(found.slice(3)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
});
