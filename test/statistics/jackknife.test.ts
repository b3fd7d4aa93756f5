import { describe, expect, it } from 'vitest';
import { generator, normals } from '../../src/linalg/random.ts';
import { jackknife } from '../../src/statistics/jackknife.ts';
import { lineFit } from '../../src/statistics/lineFit.ts';

const mean = (x: readonly number[]) => x.reduce((sum, y) => sum + y, 0) / x.length;

describe('jackknife', () => {
  it("is Student's interval for a mean", () => {
    const x = [9.8, 10.3, 9.7, 10.4, 9.8];
    const spread = Math.sqrt(x.reduce((sum, y) => sum + (y - mean(x)) ** 2, 0) / 4 / 5);
    const { value, low, high, size, effectiveSize } = jackknife(x, mean);
    expect(value).toBe(mean(x));
    expect(low).toBeCloseTo(value - 2.7764451 * spread, 6);
    expect(high).toBeCloseTo(value + 2.7764451 * spread, 6);
    expect([size, effectiveSize]).toEqual([5, 5]);
  });

  it('holds the slope of a line through seven points in about 95 % of cases', () => {
    const trials = 400;
    let held = 0;
    for (let trial = 0; trial < trials; trial++) {
      const noise = normals(generator(trial, 3), 7);
      const points = Array.from({ length: 7 }, (_, k) => ({ x: k, y: 2 * k + noise[k]! }));
      const slope = (chosen: readonly (typeof points)[number][]) =>
        lineFit({ x: chosen.map((p) => p.x), y: chosen.map((p) => p.y) }).slope;
      const { low, high } = jackknife(points, slope);
      if (low <= 2 && 2 <= high) held++;
    }
    expect(held / trials).toBeGreaterThan(0.9);
    expect(held / trials).toBeLessThan(0.99);
  });

  it('has no interval for fewer than three, nor where leaving one out leaves no value', () => {
    expect(jackknife([1, 3], mean)).toMatchObject({ value: 2, low: Number.NEGATIVE_INFINITY });
    const ratio = (x: readonly number[]) => 1 / (x.filter((y) => y > 2).length || Number.NaN);
    expect(jackknife([1, 2, 3], ratio)).toMatchObject({ value: 1, high: Number.POSITIVE_INFINITY });
  });

  it('leaves its items as they are, of a typed array too', () => {
    const x = [9.8, 10.3, 9.7, 10.4, 9.8];
    const sorting = (some: readonly number[]) => mean((some as number[]).sort());
    expect(jackknife(x, sorting).value).toBeCloseTo(10, 12);
    expect(x).toEqual([9.8, 10.3, 9.7, 10.4, 9.8]);
    expect(jackknife(Float64Array.from(x) as unknown as number[], mean)).toEqual(jackknife(x, mean));
  });

  it('refuses what is no list, and an empty one', () => {
    expect(() => jackknife([], mean)).toThrow('jackknife: items is empty');
    expect(() => jackknife(3 as never, mean)).toThrow('items is 3. It must be an array');
  });
});
