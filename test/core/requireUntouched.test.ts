import { expect, it } from 'vitest';
import { openStep } from '../../src/core/Step.ts';

const open = (index: number, weights: Float32Array, more: object = {}) => openStep({ index, weights, ...more });

it('a buffer that is filled anew for each step is refused, also through another view of it', () => {
  const buffer = Float32Array.of(1, 2);
  open(0, buffer);
  open(1, buffer);
  buffer.set([3, 2]);
  const message = "openStep: weights of step 2 lies in the array of step 0's, with other numbers in it";
  expect(() => open(2, buffer)).toThrow(message);
  expect(() => open(2, new Float32Array(buffer.buffer))).toThrow(message);
  open(2, buffer.slice());
});

it('so is a part of a buffer, of which a new view is made for each step', () => {
  const buffer = new ArrayBuffer(12);
  const part = (first: number) => {
    const view = new Float32Array(buffer, 4, 2);
    view[0] = first;
    return view;
  };
  open(0, part(1));
  open(1, part(1));
  expect(() => open(2, part(2))).toThrow("openStep: weights of step 2 lies in the array of step 0's");
});

it('so are one for all gradients and one for all velocities', () => {
  for (const name of ['gradient', 'velocity']) {
    const vector = Float32Array.of(1, 2);
    open(0, new Float32Array(2), { [name]: vector });
    vector[1] = 7;
    expect(() => open(1, new Float32Array(2), { [name]: vector })).toThrow(`openStep: ${name} of step 1 lies in`);
  }
});

it('rows of one matrix are arrays of their own', () => {
  const matrix = Float32Array.from({ length: 6 }, (_, k) => k);
  for (const index of [0, 1, 2]) open(index, matrix.subarray(2 * index, 2 * index + 2));
});
