import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Grown } from '../../src/watch/page/Grown.ts';
import { bucketsAround, levelFor, markOf, Thinned } from '../../src/watch/page/Thinned.ts';

/** Points over steps; null and numbers that are none as they are. */
class Series {
  readonly x = new Grown();
  readonly y = new Grown();
  get length(): number {
    return this.x.length;
  }
  add(step: number, value: number | null): this {
    this.x.push(step);
    this.y.push(value ?? Number.NaN, value === null);
    return this;
  }
}
const seriesOf = (values: readonly (number | null)[], every = 1) =>
  values.reduce<Series>((series, value, k) => series.add(k * every, value), new Series());

/** What a line of pixels shows: of each column of so many steps the first, least, largest and last value. */
function columnsOf(series: Series, places: readonly number[], width: number): Map<number, readonly number[]> {
  const columns = new Map<number, number[]>();
  for (const place of places) {
    if (place < 0) continue;
    const at = Math.floor(series.x.values[place]! / width);
    columns.set(at, [...(columns.get(at) ?? []), series.y.values[place]!]);
  }
  return new Map(
    [...columns].map(([at, all]) => [at, [all[0]!, Math.min(...all), Math.max(...all), all.at(-1)!] as const]),
  );
}
const all = (series: Series) =>
  Array.from({ length: series.length }, (_, k) => (markOf(series.y.values[k]!, false) === null ? k : -1 - k));

const value = fc.oneof(
  { weight: 8, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e3, max: 1e3 }) },
  { weight: 1, arbitrary: fc.constantFrom(null, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY) },
);

describe('a line that is thinned', () => {
  it('has in each column of pixels the first, least, largest and last value that all points have there', () => {
    fc.assert(
      fc.property(
        fc.array(value, { maxLength: 300 }),
        fc.nat(6),
        fc.integer({ min: 1, max: 5 }),
        (values, level, every) => {
          const series = seriesOf(values, every);
          const { places } = new Thinned(series, level, false).update();
          expect(columnsOf(series, places, 2 ** level)).toEqual(columnsOf(series, all(series), 2 ** level));
          const order = places.map((place) => (place < 0 ? -1 - place : place));
          expect(order).toEqual(order.toSorted((a, b) => a - b));
        },
      ),
    );
  });

  it('is the same whether its points come at once or one by one, and nothing left of the newest bucket moves', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 120 }), fc.nat(5), (values, level) => {
        const series = new Series();
        const grown = new Thinned(series, level, false);
        for (const [k, one] of values.entries()) {
          const before = [...grown.places];
          const bucket = Math.floor(k / 2 ** level);
          series.add(k, one);
          grown.update();
          const older = before.filter((place) => Math.floor((place < 0 ? -1 - place : place) / 2 ** level) < bucket);
          expect(grown.places.slice(0, older.length)).toEqual(older);
        }
        const atOnce = new Thinned(series, level, false).update();
        expect(grown.places).toEqual(atOnce.places);
        expect(grown.marks).toEqual(atOnce.marks);
      }),
    );
  });

  it('keeps one spike of a million, and both branches of an alternation, at every level', () => {
    const series = new Series();
    for (let k = 0; k < 1e6; k++) series.add(k, k === 654_321 ? 50 : k % 2 === 0 ? 1 : -1);
    for (let level = 0; level <= 20; level++) {
      const { places } = new Thinned(series, level, false).update();
      expect(places).toContain(654_321);
      if (level === 0) continue;
      const columns = columnsOf(series, places, 2 ** level);
      // The spike stands where one −1 would have been.
      const isBoth = ([at, [, least, largest]]: [number, readonly number[]]) =>
        least === -1 ? largest! >= 1 : at === Math.floor(654_321 / 2 ** level);
      expect([...columns].every(isBoth)).toBe(true);
      expect(places.length).toBeLessThanOrEqual(4 * Math.ceil(1e6 / 2 ** level));
    }
  });

  it('has a gap where a cell is null or can’t be drawn, and marks what is no null', () => {
    const { NaN: nan, POSITIVE_INFINITY: above, NEGATIVE_INFINITY: below } = Number;
    const series = seriesOf([1, null, 2, nan, 3, above, below, 0, -1, 4]);
    const plain = new Thinned(series, 0, false).update();
    expect(plain.places).toEqual([0, -2, 2, -4, 4, -6, -7, 7, 8, 9]);
    expect(plain.marks).toEqual([
      { place: 3, mark: 'nan' },
      { place: 5, mark: 'above' },
      { place: 6, mark: 'below' },
    ]);
    const log = new Thinned(series, 0, true).update();
    expect(log.marks.filter(({ mark }) => mark === 'below').map(({ place }) => place)).toEqual([6, 7, 8]);
    // A bucket that ends in a gap says so; of marks of one kind it has one.
    const wide = new Thinned(seriesOf([1, nan, nan, null, 5, 6, 7, 8]), 2, false).update();
    expect(wide.places).toEqual([0, -4, 4, 7]);
    expect(wide.marks).toEqual([{ place: 1, mark: 'nan' }]);
  });

  it('gives for a range of steps its points and one beyond either end', () => {
    const series = seriesOf(Array.from({ length: 100 }, (_, k) => k));
    const thinned = new Thinned(series, 0, false).update();
    expect(thinned.within(10, 20)).toEqual([9, 22]);
    expect(thinned.within(-5, 1000)).toEqual([0, 100]);
    expect(thinned.within(10.5, 10.6)).toEqual([10, 12]);
  });

  it('is in a part of its steps what it is as a whole', () => {
    const range = fc.tuple(fc.integer({ min: -10, max: 700 }), fc.nat(300));
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 200 }),
        fc.nat(5),
        fc.integer({ min: 1, max: 3 }),
        range,
        (values, level, every, [from, length]) => {
          const series = seriesOf(values, every);
          const whole = new Thinned(series, level, false).update();
          const part = new Thinned(series, level, false, ...bucketsAround(series, level, from, from + length)).update();
          const cut = (thinned: Thinned) => thinned.places.slice(...thinned.within(from, from + length));
          expect(cut(part)).toEqual(cut(whole));
        },
      ),
    );
  });

  it('has buckets no wider than a pixel', () => {
    for (const stepsAPixel of [0.01, 1, 1.9, 2, 3.7, 1000]) {
      expect(2 ** levelFor(stepsAPixel)).toBeLessThanOrEqual(Math.max(1, stepsAPixel));
      expect(2 ** (levelFor(stepsAPixel) + 1)).toBeGreaterThan(stepsAPixel);
    }
  });
});
