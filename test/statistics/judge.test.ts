import { describe, expect, it } from 'vitest';
import { betweenSeeds } from '../../src/statistics/betweenSeeds.ts';
import { firstCrossing } from '../../src/statistics/firstCrossing.ts';
import { judge } from '../../src/statistics/judge.ts';
import { ratioOfSums } from '../../src/statistics/ratioOfSums.ts';

describe('a claim', () => {
  const region = { low: 0.9, high: 1.1 };
  it.each([
    ['holds', 0.95, 1.05],
    ['holds', 0.9, 1.1],
    ['does not hold', 0.5, 0.89],
    ['does not hold', 1.11, 2],
    ['not decidable', 0.8, 0.9],
    ['not decidable', 0.8, 1],
    ['not decidable', 1, 1.2],
    ['not decidable', 0, 3],
    ['not decidable', Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
    ['not decidable', Number.NaN, Number.NaN],
  ] as const)('%s with an interval from %d to %d', (verdict, low, high) => {
    expect(judge({ low, high }, region)).toBe(verdict);
  });

  it('is not decidable where nothing was measured', () => {
    expect(judge(null, region)).toBe('not decidable');
  });

  it('may have one end only, and no region without a point', () => {
    expect(judge({ low: 1.2, high: 9 }, { low: 1, high: Number.POSITIVE_INFINITY })).toBe('holds');
    expect(() => judge(null, { low: 1, high: 0 })).toThrow('the region goes from 1 to 0.');
  });

  it('takes no null for 0, which JSON makes of ∞', () => {
    const [open, from] = [
      { low: -5, high: 9 },
      { low: Number.NEGATIVE_INFINITY, high: 7 },
    ];
    expect(judge(from, open)).toBe('not decidable');
    expect(() => judge(JSON.parse(JSON.stringify(from)), open)).toThrow('judge: low of the estimate is null.');
    expect(() => judge(open, JSON.parse(JSON.stringify(from)))).toThrow('judge: low of the region is null.');
  });
});

describe('the interval between seeds', () => {
  it("is Student's", () => {
    // x̄ 2, s 1, t_2 4.30265.
    const { value, low, high, size } = betweenSeeds([1, 2, 3]);
    expect(value).toBe(2);
    expect(low).toBeCloseTo(2 - 4.302652729696142 / Math.sqrt(3), 9);
    expect(high).toBeCloseTo(2 + 4.302652729696142 / Math.sqrt(3), 9);
    expect(size).toBe(3);
  });

  it('is none of one seed', () => {
    expect(betweenSeeds([1])).toMatchObject({ value: 1, low: Number.NEGATIVE_INFINITY, effectiveSize: 1 });
    expect(judge(betweenSeeds([1]), { low: 0, high: 2 })).toBe('not decidable');
    expect(() => betweenSeeds([1, Number.NaN])).toThrow('values[1] is NaN.');
  });
});

describe('the first crossing', () => {
  const value = (x: number) => x;
  it('is the first row above the edge, which may go along', () => {
    expect(firstCrossing([1, 2, 3], { value, edge: 2 })).toBe(2);
    expect(firstCrossing([5, 5, 5], { value, edge: (x) => x })).toBeNull();
    expect(firstCrossing([], { value, edge: 0 })).toBeNull();
  });

  it('is where it stays, if that is asked', () => {
    expect(firstCrossing([1, 3, 1, 3, 3, 1, 3], { value, edge: 2, stays: 2 })).toBe(3);
    expect(firstCrossing([1, 3, Number.NaN, 3], { value, edge: 2, stays: 2 })).toBeNull();
    expect(() => firstCrossing([1], { value, edge: 2, stays: 0 })).toThrow('stays is 0');
  });

  it('takes nothing else for a number', () => {
    const rows = [{ gap: -3 }, { gap: null }, { gap: 2 }] as unknown as { gap: number }[];
    const gap = (row: { gap: number }) => row.gap;
    expect(firstCrossing(rows, { value: (row) => row.gap ?? Number.NaN, edge: -1 })).toBe(2);
    expect(() => firstCrossing(rows, { value: gap, edge: -1 })).toThrow('the value of row 1 is null.');
    expect(() => firstCrossing([1, 2], { value, edge: () => 'far' as unknown as number })).toThrow(
      "the edge of row 0 is 'far'.",
    );
    expect(() => firstCrossing([1, 2], { value: () => undefined as unknown as number, edge: 3 })).toThrow('missing');
    const table = { rows: [1, 2] } as unknown as number[];
    expect(() => firstCrossing(table, { value, edge: 0 })).toThrow('firstCrossing: rows is an object of rows.');
    const promise = Promise.resolve([1, 2]) as unknown as number[];
    expect(() => firstCrossing(promise, { value, edge: 0 })).toThrow('Await it first.');
  });
});

describe('a ratio of sums', () => {
  const rows = [1, 2, 1, 2, 1, 2, 1, 2].map((b) => ({ a: b + 1, b }));
  it('is no mean of ratios', () => {
    expect(
      ratioOfSums(
        rows,
        ({ a }) => a,
        ({ b }) => b,
      ).value,
    ).toBe(20 / 12);
  });

  it('adds up numbers alone: null is not 0, and text is not put one behind the other', () => {
    const of = (rows: readonly (readonly unknown[])[]) => {
      const pairs = rows as readonly (readonly [number, number])[];
      return ratioOfSums(
        pairs,
        ([a]) => a,
        ([, b]) => b,
      ).value;
    };
    const pair = [3, 2] as const;
    expect(of([pair, [1n, 2]])).toBe(1);
    expect(of([pair, [Number.NaN, 2]])).toBeNaN();
    expect(() => of([pair, [null, 2]])).toThrow('ratioOfSums: the numerator of row 1 is null.');
    expect(() => of([pair, [1, '2']])).toThrow("ratioOfSums: the denominator of row 1 is '2'.");
  });

  it('has no interval where the denominators add up to 0', () => {
    expect(
      ratioOfSums(
        rows,
        ({ a }) => a,
        () => 0,
      ),
    ).toMatchObject({ value: Number.POSITIVE_INFINITY, low: Number.NEGATIVE_INFINITY });
  });
});
