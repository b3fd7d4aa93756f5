import { describe, expect, it } from 'vitest';
import { generator, normals } from '../../src/linalg/random.ts';
import { blockInterval } from '../../src/statistics/blockInterval.ts';
import { memoryOf } from '../../src/statistics/blockLength.ts';
import { autoregression, periodTwo } from './series.ts';

const average = (rows: readonly number[]) => rows.reduce((sum, x) => sum + x, 0) / rows.length;
const effectiveSize = (make: (seed: number) => number[]) =>
  average(Array.from({ length: 40 }, (_, seed) => memoryOf(make(seed)).effectiveSize));

describe('the length of blocks', () => {
  it('is even, about √n at least and n/4 at most', () => {
    for (const n of [8, 9, 13, 60, 61, 200, 600]) {
      for (const phi of [-0.9, 0, 0.9]) {
        const { blockLength } = memoryOf(autoregression(phi)(n, n));
        expect(blockLength % 2).toBe(0);
        expect(blockLength).toBeGreaterThanOrEqual(Math.min(Math.sqrt(n), 2 * Math.floor(n / 8)));
        expect(blockLength).toBeLessThanOrEqual(n / 4);
      }
    }
  });

  it('grows with the memory, and not with an oscillation of period two', () => {
    expect(memoryOf(autoregression(0.9)(600, 1)).blockLength).toBeGreaterThan(40);
    expect(memoryOf(periodTwo(600, 1)).blockLength).toBeLessThan(30);
  });
});

describe('the effective size', () => {
  it('is n(1 − φ)/(1 + φ) of an autoregression, and n at most', () => {
    expect(effectiveSize((seed) => autoregression(0.5)(600, seed)) / 200).toBeCloseTo(1, 0);
    const ofLong = effectiveSize((seed) => autoregression(0.9)(6000, seed));
    expect(ofLong / (6000 / 19)).toBeGreaterThan(0.8);
    expect(ofLong / (6000 / 19)).toBeLessThan(1.4);
    expect(effectiveSize((seed) => autoregression(-0.9)(600, seed))).toBe(600);
    expect(effectiveSize((seed) => periodTwo(600, seed))).toBeGreaterThan(570);
  });

  it('is the number of blocks where nothing varies', () => {
    expect(memoryOf(new Array(100).fill(3))).toEqual({ blockLength: 10, blocks: 10, effectiveSize: 10 });
  });
});

describe('the memory', () => {
  it('is that of the shape alone, whatever the size of the numbers, down to their last digits', () => {
    for (const value of [0.1, 0.25, 1e200]) {
      expect(memoryOf(new Array(100).fill(value))).toEqual(memoryOf(new Array(100).fill(0)));
    }
    const series = autoregression(0.5)(60, 3);
    const { blockLength, effectiveSize } = memoryOf(series);
    for (const factor of [1e-200, 1e200, 1.7e308 / Math.max(...series.map(Math.abs))]) {
      const memory = memoryOf(series.map((x) => x * factor));
      expect(memory.blockLength).toBe(blockLength);
      expect(memory.effectiveSize).toBeCloseTo(effectiveSize, 6);
    }
  });
});

describe('an interval', () => {
  it('of equal numbers is that number', () => {
    expect(blockInterval(new Array(100).fill(0.1), 'mean')).toMatchObject({ value: 0.1, low: 0.1, high: 0.1 });
  });

  it('has ends or none, never NaN, at any number of draws without a value', () => {
    const rows = Array.from({ length: 40 }, (_, i) => i);
    for (const without of [24, 25, 26]) {
      let drawn = -1;
      const { low, high } = blockInterval(rows, (some: readonly number[]) => {
        if (some.length === 40) drawn++;
        return some.length === 40 && drawn > 0 && drawn <= without ? Number.NaN : average(some);
      });
      expect(Number.isFinite(low)).toBe(without < 25);
      if (without >= 25) expect([low, high]).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
    }
  });

  const series = autoregression(0.5)(200, 3);

  it('is the same for the same rows and seed, and another for another seed', () => {
    expect(blockInterval(series, 'mean')).toEqual(blockInterval(series, 'mean'));
    expect(blockInterval(series, 'mean', { seed: 1 }).low).not.toBe(blockInterval(series, 'mean').low);
  });

  it('of independent numbers is about that of Student', () => {
    const x = [...normals(generator(9), 600)];
    const { value, low, high, method, size } = blockInterval(x, 'mean', { resamples: 4000 });
    const mean = average(x);
    const half = 1.964 * Math.sqrt(average(x.map((v) => (v - mean) ** 2)) / 599);
    expect(value).toBeCloseTo(mean, 12);
    expect((value - low) / half).toBeCloseTo(1, 0);
    expect((high - value) / half).toBeCloseTo(1, 0);
    expect(method).toMatch(/^moving-block bootstrap of the mean, blocks of \d+$/);
    expect(size).toBe(600);
  });

  it('of a function is that of the statistic it computes, blocks included', () => {
    const { method: _, ...own } = blockInterval(series, average);
    const { method: __, ...named } = blockInterval(series, 'mean');
    expect(own.value).toBeCloseTo(named.value, 12);
    expect(own.low).toBeCloseTo(named.low, 12);
    expect(own.high).toBeCloseTo(named.high, 12);
    expect(own.effectiveSize).toBeCloseTo(named.effectiveSize, 6);
  });

  it('is the same of a statistic that sorts what it is given in place, and leaves the rows as they are', () => {
    const rows = autoregression(0.9)(100, 3);
    const given = [...rows];
    const ninth = (sorted: readonly number[]) => sorted[Math.floor(0.9 * sorted.length)]!;
    const inPlace = (some: readonly number[]) => ninth((some as number[]).sort((a, b) => a - b));
    const apart = blockInterval(rows, (some) => ninth(some.toSorted((a, b) => a - b)));
    expect(blockInterval(given, inPlace)).toEqual(apart);
    expect(given).toEqual(rows);
  });

  it('moves and stretches with the numbers', () => {
    const { value, low, high } = blockInterval(series, 'median');
    const moved = blockInterval(
      series.map((x) => 3 * x + 7),
      'median',
    );
    expect(moved.value).toBeCloseTo(3 * value + 7, 9);
    expect(moved.low).toBeCloseTo(3 * low + 7, 9);
    expect(moved.high).toBeCloseTo(3 * high + 7, 9);
  });

  it('is not shorter for each number twice in turn', () => {
    const { low, high } = blockInterval(series, 'mean');
    const twice = blockInterval(
      series.flatMap((x) => [x, x]),
      'mean',
    );
    expect((twice.high - twice.low) / (high - low)).toBeGreaterThan(0.85);
  });

  it('has no ends where there are fewer than 8 rows, or the statistic has no value', () => {
    const none = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
    expect(blockInterval([1, 2, 3], 'mean')).toMatchObject({ value: 2, ...none, method: 'none: fewer than 8 rows' });
    expect(blockInterval([], 'mean')).toMatchObject({ value: Number.NaN, ...none, size: 0, effectiveSize: 0 });
    expect(blockInterval(series, () => Number.NaN)).toMatchObject({ value: Number.NaN, ...none });
  });

  it('goes on without end where draws have no value', () => {
    // The mean of what is above 2.5: a draw without any such number has none.
    const above = (rows: readonly number[]) => average(rows.filter((x) => x > 2.5));
    const { value, low, high } = blockInterval([...new Array(30).fill(0), 3, ...new Array(30).fill(0)], above);
    expect([value, low, high]).toEqual([3, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });

  it('refuses what is no number, and options that there are not', () => {
    expect(() => blockInterval([1, Number.NaN], 'mean')).toThrow('blockInterval: row 1 is NaN.');
    expect(() => blockInterval(series, 'mean', { resamples: 10 })).toThrow('resamples is 10');
    expect(() => blockInterval(series, 'mean', { seeds: 1 } as object)).toThrow('seed');
    expect(() => blockInterval(series, 'mode' as 'mean')).toThrow("It is 'mean', 'median', 'share'");
  });
});

describe('the interval of a share', () => {
  it('of independent answers is that of Clopper and Pearson, a little wider', () => {
    const answers = Array.from({ length: 100 }, (_, k) => k % 10 === 0);
    const { value, low, high } = blockInterval(answers, 'share');
    expect(value).toBe(0.1);
    // 10 of 100: [.0490, .1762].
    expect(low).toBeGreaterThan(0.03);
    expect(low).toBeLessThan(0.049);
    expect(high).toBeGreaterThan(0.1762);
    expect(high).toBeLessThan(0.22);
  });

  it('is one of blocks where all answers are the same, and nothing else is known', () => {
    const { value, low, high, effectiveSize } = blockInterval(new Array(100).fill(true), 'share');
    expect([value, high, effectiveSize]).toEqual([1, 1, 10]);
    // All of n': low = .025^(1/n'), n' = 10·(1.984/2.262)².
    expect(low).toBeCloseTo(0.025 ** (1 / (10 * (1.98422 / 2.26216) ** 2)), 4);
  });

  it('looks at the numbers whose sign is asked about, where all answers are the same', () => {
    const quick = [...normals(generator(4), 100)].map((x) => 10 + x);
    const slow = autoregression(0.95)(100, 4).map((x) => 20 + x);
    const [a, b] = [blockInterval(quick, 'share'), blockInterval(slow, 'share')];
    expect([a.value, b.value]).toEqual([1, 1]);
    expect(a.low).toBeGreaterThan(0.9);
    expect(b.low).toBeLessThan(0.7);
  });

  it('is all there is with fewer than 8 rows', () => {
    expect(blockInterval([true, true, true], 'share')).toMatchObject({ value: 1, low: 0, high: 1 });
  });
});
