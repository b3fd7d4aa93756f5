import { describe, expect, it } from 'vitest';
import { requireJson } from '../../src/core/Json.ts';
import { openStep } from '../../src/core/Step.ts';
import { toy } from '../../src/objectives/quadratic.ts';
import { run } from '../../src/runs/run.ts';
import { toArrow } from '../../src/tables/toArrow.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';

const cycle: { self?: unknown } = {};
cycle.self = cycle;

const WRONG: readonly (readonly [unknown, string])[] = [
  [{ clip: Number.POSITIVE_INFINITY }, 'metadata.clip is Infinity'],
  [{ deep: [1, { low: Number.NEGATIVE_INFINITY }] }, 'metadata.deep[1].low is -Infinity'],
  [{ best: Number.NaN }, 'metadata.best is NaN'],
  [{ shift: -0 }, 'metadata.shift is −0'],
  [{ note: undefined }, 'metadata.note is undefined'],
  [{ list: new Array(1) }, 'metadata.list[0] is undefined'],
  [{ tokens: 10n }, 'metadata.tokens is the bigint 10'],
  [{ f: () => 1 }, 'metadata.f is a function'],
  [{ s: Symbol('s') }, 'metadata.s is a symbol'],
  [{ when: new Date(0) }, 'metadata.when is a Date'],
  [{ mean: Float32Array.of(1) }, 'metadata.mean is a Float32Array'],
  [{ names: new Map() }, 'metadata.names is a Map'],
  [cycle, 'metadata.self is an object that contains itself'],
];

describe.each(WRONG)('metadata that JSON cannot hold, %o,', (metadata, message) => {
  it('is refused at the call with its path, wherever it is handed in', async () => {
    expect(() => requireJson('test', 'metadata', metadata)).toThrow(`test: ${message}, which JSON can't hold`);
    const wrong = { metadata } as object;
    expect(() => toParquet(wrong)).toThrow(`toParquet: ${message}`);
    expect(() => toArrow(wrong)).toThrow(`toArrow: ${message}`);
    const source = gradientDescent(toy(), { learningRate: 0.1, steps: 1 });
    await expect(run(source, { all: (s) => s }, wrong)).rejects.toThrow(`run: ${message}`);
    expect(() => openStep({ index: 0, weights: new Float32Array(1) }, wrong)).toThrow(`openStep: ${message}`);
  });
});

it('the same object twice is no cycle, and one without a prototype is plain', () => {
  const part = { a: [1, 'x', null, true] };
  requireJson('test', 'metadata', { first: part, second: part, plain: Object.assign(Object.create(null), { b: 1 }) });
});
