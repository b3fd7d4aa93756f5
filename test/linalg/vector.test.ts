import { describe, expect, it } from 'vitest';
import { generator, normals } from '../../src/linalg/random.ts';
import { addScaled, addSingles, dot, type Vector } from '../../src/linalg/vector.ts';

const M = 37;
const doubles = (seed: number) => normals(generator(seed), M);
const kinds: Readonly<Record<string, (seed: number) => Vector>> = {
  single: (seed) => Float32Array.from(doubles(seed)),
  double: doubles,
};
const names = Object.keys(kinds);
const pairs = names.flatMap((a) => names.map((b) => [a, b] as const));

describe('vectors of either precision', () => {
  it.each(pairs)('have sums in double precision: %s and %s', (a, b) => {
    const [x, y] = [kinds[a]!(1), kinds[b]!(2)];
    expect(dot(x, y)).toBe(Array.from(x, (value, k) => value * y[k]!).reduce((sum, value) => sum + value, 0));
  });

  it.each(pairs)('are added, each rounded once to what it is added to: %s and %s', (a, b) => {
    const [y, x] = [kinds[a]!(1), kinds[b]!(2)];
    const wanted = y.map((value, k) => value + 0.3 * x[k]!);
    addScaled(y, x, 0.3);
    expect(y).toEqual(wanted);
  });

  it.each([0, 1, 3, 4, 5, 9])('are added %i at once as one after the other, to the bit', (count) => {
    const xs = Array.from({ length: count }, (_, i) => Float32Array.from(doubles(i + 2)));
    const scales = Array.from({ length: count }, (_, i) => 0.1 * 3 ** -i);
    const [at, after] = [doubles(1), doubles(1)];
    addSingles(at, xs, scales);
    for (const [i, x] of xs.entries()) for (let k = 0; k < M; k++) after[k]! += scales[i]! * x[k]!;
    expect(at).toEqual(after);
  });
});
