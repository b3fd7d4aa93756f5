import { describe, expect, it } from 'vitest';
import { generator, normals } from '../../src/linalg/random.ts';
import { blockInterval } from '../../src/statistics/blockInterval.ts';
import type { Estimate } from '../../src/statistics/Estimate.ts';
import { lineFitInterval } from '../../src/statistics/lineFitInterval.ts';
import { ratioOfSums } from '../../src/statistics/ratioOfSums.ts';
import { everything } from '../helpers/everything.ts';
import { autoregression, bursts, periodTwo, type Series, stretches, wandering } from './series.ts';

const SERIES: readonly (readonly [name: string, series: Series])[] = [
  ['autoregressive, φ = .5', autoregression(0.5)],
  ['autoregressive, φ = .9', autoregression(0.9)],
  ['autoregressive, φ = −.5', autoregression(-0.5)],
  ['autoregressive, φ = −.9', autoregression(-0.9)],
  ['of period two', periodTwo],
  ['of period two about a level that wanders', wandering],
  ['in bursts', bursts],
  ['in quiet and oscillating stretches', stretches],
];

const LENGTHS = everything ? [60, 200, 600] : [60, 200];

/** The share of series whose interval holds the truth. */
function coverage(truth: number, interval: (seed: number) => Estimate, count = 200): number {
  let held = 0;
  for (let seed = 1; seed <= count; seed++) {
    const { low, high } = interval(seed);
    if (low <= truth && truth <= high) held++;
  }
  return held / count;
}

/** What the interval of a long series is taken to hold: a hundred times as long as the longest one. */
const long = (series: Series) => series(60_000, 12_345);
const meanOf = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;

/**
 * Of 200 series with a share of .95, at least .9 hold in 99.7 % of cases. Where too few blocks tell how different
 * blocks are, intervals are too short: what is asked there is said apart.
 */
const LEAST = 0.88;

describe.each(SERIES)('95 % intervals of a series %s', (name, series) => {
  const values = long(series);
  const hasFewBlocks = (length: number) =>
    length === 60 && (name === 'autoregressive, φ = .9' || name === 'in quiet and oscillating stretches');
  const least = (length: number) => (hasFewBlocks(length) ? 0.8 : LEAST);

  it.each(LENGTHS)('hold its mean, from %i numbers', (length) => {
    const interval = (seed: number) => blockInterval(series(length, seed), 'mean', { resamples: 200 });
    expect(coverage(meanOf(values), interval)).toBeGreaterThanOrEqual(least(length));
  });

  it.each(LENGTHS)('hold its median, from %i numbers', (length) => {
    const truth = [...values].sort((a, b) => a - b)[values.length >> 1]!;
    const interval = (seed: number) => blockInterval(series(length, seed), 'median', { resamples: 200 });
    expect(coverage(truth, interval, 100)).toBeGreaterThanOrEqual(hasFewBlocks(length) ? 0.78 : 0.86);
  });

  it.each(LENGTHS)('hold the share above a bound, from %i numbers or answers', (length) => {
    const bound = 0.3;
    const truth = meanOf(values.map((v) => Number(v > bound)));
    const above = (seed: number) => series(length, seed).map((v) => v - bound);
    expect(coverage(truth, (seed) => blockInterval(above(seed), 'share'))).toBeGreaterThanOrEqual(LEAST);
    const answers = (seed: number) => above(seed).map((v) => v > 0);
    expect(coverage(truth, (seed) => blockInterval(answers(seed), 'share'))).toBeGreaterThanOrEqual(least(length));
  });
});

describe('95 % intervals are no longer than they need be', () => {
  const covers = (series: Series, length: number) =>
    coverage(0, (seed) => blockInterval(series(length, seed), 'mean', { resamples: 200 }));

  it('for numbers that are independent, or of period two', () => {
    expect(covers(autoregression(0), 200)).toBeLessThan(0.99);
    expect(covers(periodTwo, 200)).toBeLessThan(0.99);
    expect(covers(autoregression(-0.9), 600)).toBeLessThan(0.99);
  });
});

describe('95 % intervals of rows', () => {
  it('hold a ratio of sums, where the mean of ratios is another number', () => {
    const rows = (seed: number, length: number) => {
      const level = autoregression(0.7)(length, seed);
      const noise = normals(generator(seed, 8), length);
      // b log-normal, a = 3b + noise that does not go with b.
      return level.map((x, t) => ({ a: 3 * Math.exp(0.5 * x) + noise[t]! + 1, b: Math.exp(0.5 * x) }));
    };
    const many = rows(54_321, 100_000);
    const truth = many.reduce((sum, { a }) => sum + a, 0) / many.reduce((sum, { b }) => sum + b, 0);
    const interval = (seed: number) =>
      ratioOfSums(
        rows(seed, 200),
        ({ a }) => a,
        ({ b }) => b,
        { resamples: 200 },
      );
    expect(coverage(truth, interval)).toBeGreaterThan(LEAST);
    expect(Math.abs(meanOf(many.map(({ a, b }) => a / b)) - truth)).toBeGreaterThan(0.2);
  });

  it.runIf(everything)(
    'hold slope and x-intercept of a line, with errors in both coordinates that go on from row to row',
    () => {
      const rows = (seed: number) => {
        const at = autoregression(0.95)(120, seed);
        const [dx, dy] = [autoregression(-0.6)(120, seed + 1000), autoregression(0.5)(120, seed + 2000)];
        return at.map((x, t) => ({ x: 10 + x + 0.8 * dx[t]!, y: 0.5 * (10 + x - 8) + 0.2 * dy[t]! }));
      };
      const fits = (seed: number) =>
        lineFitInterval(
          rows(seed),
          {
            x: ({ x }) => x,
            y: ({ y }) => y,
            xError: () => 0.8 / Math.sqrt(0.64),
            yError: () => 0.2 / Math.sqrt(0.75),
          },
          { resamples: 100 },
        );
      const all = Array.from({ length: 200 }, (_, k) => fits(k + 1));
      expect(coverage(0.5, (seed) => all[seed - 1]!.slope)).toBeGreaterThan(LEAST);
      expect(coverage(8, (seed) => all[seed - 1]!.xIntercept)).toBeGreaterThan(LEAST);
    },
  );
});
