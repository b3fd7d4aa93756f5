import { describe, expect, it } from 'vitest';
import { requireInteger, requireNumber } from '../../src/core/errors.ts';
import { float32, integers, numbers, requireChoice, requireFlag, requireList } from '../../src/core/given.ts';

const KINDS = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array] as const;

describe('a list of numbers', () => {
  it('is taken from arrays of every kind, 64-bit integers too, and a Float32Array is not copied', () => {
    const wanted = Float32Array.of(1, 2, 3);
    const lists = [
      [1, 2, 3],
      [1n, 2, 3],
      Float64Array.of(1, 2, 3),
      BigInt64Array.of(1n, 2n, 3n),
      BigUint64Array.of(1n, 2n, 3n),
    ];
    for (const list of [...lists, ...KINDS.map((kind) => kind.of(1, 2, 3))]) {
      expect(float32('who', 'x', list)).toEqual(wanted);
      expect(numbers('who', 'x', list)).toEqual([1, 2, 3]);
    }
    expect(float32('who', 'x', wanted)).toBe(wanted);
  });

  it.each<[string, unknown]>([
    ['x[1] is null. It must be a number; leave', [1, null]],
    ["x[1] is ''. It must be a number; convert text by Number", [1, '']],
    ["x[1] is '2'. It must be a number; convert text by Number", [1, '2']],
    ['x[1] is false. It must be a number', [1, false]],
    ['x[1] is missing. It must be a number', [1, undefined]],
    ['x[1] is missing. It must be a number', Object.assign(new Array(3), { 0: 1 })],
    ['x[0] is [1, 2]. It must be a number; put rows one after the other by `.flat()`', [[1, 2]]],
    ['x[1] is NaN.', [1, Number.NaN]],
    ['x[1] is NaN.', Float32Array.of(1, Number.NaN)],
    ['x[0] is -Infinity.', Float64Array.of(-1 / 0)],
    ["x is '1,2'. It must be an array", '1,2'],
    ['x is 3. It must be an array, such as [3].', 3],
    ['x is a promise. Await it first.', Promise.resolve([1])],
    ['x is missing. It must be an array', undefined],
    ['x is null. It must be an array', null],
    ['x is an object of length. It must be an array', { length: 2 }],
    ['x is a tensor. It must be an array; read a tensor by', { dataId: {}, dtype: 'float32', shape: [1] }],
  ])('is refused: %s', (message, list) => {
    expect(() => float32('who', 'x', list)).toThrow(`who: ${message}`);
    expect(() => numbers('who', 'x', list)).toThrow(`who: ${message}`);
  });

  it('is refused beyond float32 only where it goes there', () => {
    expect(() => float32('who', 'x', [1, 1e39])).toThrow('who: x[1] is 1e+39. Every value must be finite in float32');
    expect(numbers('who', 'x', [1, 1e39])).toEqual([1, 1e39]);
  });
});

it.each<[string, () => unknown]>([
  ['n is missing. It must be an integer of at least 1.', () => requireInteger('who', 'n', undefined, 1)],
  ["n is '3'. It must be an integer of at least 1.", () => requireInteger('who', 'n', '3', 1)],
  ['n is null. It must be an integer', () => requireInteger('who', 'n', null, 0)],
  ['n is 3n. It must be an integer', () => requireInteger('who', 'n', 3n, 0)],
  ["x is ''. It must be a finite number above 0.", () => requireNumber('who', 'x', '', 0)],
  ['x is true. It must be a finite number above 0.', () => requireNumber('who', 'x', true, 0)],
  ['x is [1]. It must be a finite number.', () => requireNumber('who', 'x', [1], Number.NEGATIVE_INFINITY)],
  ["x is 'false'. It must be true or false.", () => requireFlag('who', 'x', 'false')],
  ['x is 1. It must be an array, such as [1].', () => requireList('who', 'x', 1)],
  ["x[1] is '2'. It must be an integer of at least 1.", () => integers('who', 'x', [1, '2'], 1)],
  ['x is missing. It must be one of', () => requireChoice('who', 'x', undefined, ['a'])],
  [
    "x is 'relU'. Did you mean 'relu'? It must be one of 'tanh', 'relu'.",
    () => requireChoice('who', 'x', 'relU', ['tanh', 'relu']),
  ],
])('who: %s', (message, call) => {
  expect(call).toThrow(`who: ${message}`);
});
