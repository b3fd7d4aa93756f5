import { describe, expect, it } from 'vitest';
import { drawBatch, generator, normals, signs, uniforms } from '../../src/linalg/random.ts';
import { everything } from '../helpers/everything.ts';

/** Powers of two, whose draws show the bits of the generator as they are, and others. */
const SIZES = everything ? [64, 100, 128, 1000, 1024] : [64, 1000];
/** A statistic of an independent draw is beyond that many of its standard deviations once in two million. */
const FAR = 5;

/**
 * How many standard deviations χ² lies off its mean, of `draws` draws into cells: `cells[c]` of all `total` outcomes,
 * which are equally likely, fall into the cell c.
 */
function excess(draws: number, cell: (i: number) => number, cells: ArrayLike<number>): number {
  const counts = new Float64Array(cells.length);
  for (let i = 0; i < draws; i++) counts[cell(i)]!++;
  let total = 0;
  for (let c = 0; c < cells.length; c++) total += cells[c]!;
  let chi2 = 0;
  let possible = 0;
  let inverses = 0;
  for (let c = 0; c < cells.length; c++) {
    if (cells[c] === 0) {
      expect(counts[c]).toBe(0);
      continue;
    }
    const wanted = (draws * cells[c]!) / total;
    chi2 += (counts[c]! - wanted) ** 2 / wanted;
    inverses += total / cells[c]!;
    possible++;
  }
  // The variance of Pearson's χ² in a finite sample (Haldane, 1937).
  const variance = 2 * (possible - 1) + (inverses - possible ** 2 - 2 * possible + 2) / draws;
  return Math.abs(chi2 - (possible - 1)) / Math.sqrt(variance);
}

/** The cells of all ordered pairs of 0 … n−1. */
const pairs = (n: number, isDistinct: boolean) =>
  Float64Array.from({ length: n * n }, (_, c) => (isDistinct && c % (n + 1) === 0 ? 0 : 1));

/** The cells of triples, each number being one of `kinds` that have as many numbers each. */
function triples(n: number, kinds: number, isDistinct: boolean): Float64Array {
  const size = n / kinds;
  const taken = (of: number, others: number[]) => (isDistinct ? others.filter((other) => other === of).length : 0);
  return Float64Array.from({ length: kinds ** 3 }, (_, cell) => {
    const [a, b, c] = [Math.floor(cell / kinds ** 2), Math.floor(cell / kinds) % kinds, cell % kinds];
    return size * (size - taken(b!, [a!])) * (size - taken(c!, [a!, b!]));
  });
}

/** Kinds of examples: how many there are divides n. */
const KINDS: Record<number, number> = { 64: 8, 100: 10, 128: 8, 1000: 10, 1024: 16 };
/** Whose draw the i-th is: what is seeded by (seed, step, …) in brink. */
const ORDERS: Record<string, (i: number) => number[]> = {
  'the steps of a run': (i) => [3, i, 0x626174],
  'the draws at a step': (i) => [0, 12, 2, i],
  seeds: (i) => [i, 0, 0x626174],
};

describe.each(Object.entries(ORDERS))('over %s', (_, seedOf) => {
  describe.each([true, false])('batches with replacement: %s', (replacement) => {
    const batch = (i: number, n: number, b: number) => drawBatch(generator(...seedOf(i)), n, b, replacement);

    it.each(SIZES)('hold each ordered pair of %i examples as often', (n) => {
      const pair = (i: number) => {
        const [first, second] = batch(i, n, 2);
        return first! * n + second!;
      };
      expect(excess(Math.max(40_000, Math.min(n * n, 200_000)), pair, pairs(n, !replacement))).toBeLessThan(FAR);
    });

    it.each(SIZES)('hold each triple of kinds of %i examples as often, also not the first three', (n) => {
      const kinds = KINDS[n]!;
      const sort: Record<string, (example: number) => number> = {
        high: (example) => Math.floor((example * kinds) / n),
        low: (example) => example % kinds,
      };
      for (const kindOf of Object.values(sort)) {
        for (const start of [0, 3]) {
          const triple = (i: number) => {
            const [a, b, c] = batch(i, n, start + 3).subarray(start);
            return (kindOf(a!) * kinds + kindOf(b!)) * kinds + kindOf(c!);
          };
          expect(excess(40_000, triple, triples(n, kinds, !replacement))).toBeLessThan(FAR);
        }
      }
    });

    it.each(SIZES)('do not go with the next one, for %i examples', (n) => {
      for (const place of [0, 1]) {
        const pair = (i: number) => batch(2 * i, n, 2)[place]! * n + batch(2 * i + 1, n, 2)[place]!;
        expect(excess(Math.max(40_000, Math.min(n * n, 200_000)), pair, pairs(n, false))).toBeLessThan(FAR);
      }
    });
  });

  it('signs do not go together, within a draw and from one to the next', () => {
    const words = 12;
    const draw = (i: number) => signs(generator(...seedOf(i)), 64).subarray(0, 64);
    for (const stride of [1, 2, 5]) {
      const word = (i: number) => {
        const z = draw(i);
        let bits = 0;
        for (let k = 0; k < words; k++) bits = 2 * bits + (z[(k * stride) % 64]! > 0 ? 1 : 0);
        return bits;
      };
      expect(excess(40_000, word, new Float64Array(2 ** words).fill(1))).toBeLessThan(FAR);
    }
    let previous = draw(0);
    const sums = new Float64Array(64);
    const count = 20_000;
    for (let i = 1; i <= count; i++) {
      const next = draw(i);
      for (let k = 0; k < 64; k++) sums[k]! += previous[k]! * next[k]!;
      previous = next;
    }
    for (const sum of sums) expect(Math.abs(sum) / Math.sqrt(count)).toBeLessThan(FAR);
  });

  it.each<[string, (i: number) => Float64Array, number]>([
    ['normals', (i) => normals(generator(...seedOf(i)), 8), 1],
    ['uniforms', (i) => uniforms(generator(...seedOf(i)), 8, Math.sqrt(3)), 1],
  ])('%s have no correlation, nor their squares, at any lag and from one draw to the next', (_, draw, variance) => {
    const count = 40_000;
    const products = new Map<string, number>();
    const add = (name: string, product: number) => products.set(name, (products.get(name) ?? 0) + product);
    let previous = draw(0);
    const squares = (z: number) => z * z - variance;
    for (let i = 1; i <= count; i++) {
      const next = draw(i);
      for (let k = 0; k < 8; k++) {
        for (let l = k + 1; l < 8; l++) {
          add(`${k}, ${l}`, next[k]! * next[l]!);
          add(`squares ${k}, ${l}`, squares(next[k]!) * squares(next[l]!));
        }
        add(`next ${k}`, previous[k]! * next[k]!);
        add(`mean ${k}`, next[k]!);
      }
      previous = next;
    }
    for (const [name, sum] of products) {
      // The variance of the product of two squares is (E z⁴ − 1)²: 4 of normals, 16/25 of uniforms.
      const scale = name.startsWith('squares') ? 2 : 1;
      expect(Math.abs(sum) / Math.sqrt(count) / scale, name).toBeLessThan(FAR);
    }
  });
});

it('a generator is a function of its integers and of their order', () => {
  const first = (...integers: number[]) => generator(...integers).next();
  expect(first(1, 2)).toBe(first(1, 2));
  const others = [first(1, 2), first(2, 1), first(1), first(2), first(1, 2, 0), first(1, 2 + 2 ** 32), first(1, -2)];
  expect(new Set(others).size).toBe(others.length);
});
