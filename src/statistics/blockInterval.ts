import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { BrinkError, requireInteger } from '../core/errors.ts';
import { requireNames } from '../core/requireNames.ts';
import { generator } from '../linalg/random.ts';
import { LEAST_ROWS, longestMemory } from './blockLength.ts';
import type { Estimate } from './Estimate.ts';
import { intervalOfShare } from './intervalOfShare.ts';
import { studentQuantile } from './studentQuantile.ts';

/** How an interval is made. */
export interface BlockIntervalOptions {
  /** How often the rows are drawn anew; at least 100, default 1000. */
  readonly resamples?: number;
  /** Of the draws; default 0. */
  readonly seed?: number;
}

const WHO = 'blockInterval';

/**
 * A statistic of what was measured along a run, with a 95 % interval that knows that neighbours are alike.
 *
 * The moving-block bootstrap: rows are drawn anew in blocks of ℓ neighbours, the ends of the series joined, and the
 * statistic is taken of each such series. With q the quantiles of these, n rows and n/ℓ blocks,
 *
 *     low = value − s·(value − q_.025), high = value + s·(q_.975 − value), s = (t/1.96)·√(n/(n − ℓ)),
 *
 * where t is Student's for n/ℓ − 1 degrees of freedom: few blocks know little of how different blocks are. ℓ is even,
 * so that a block has both sides of an oscillation of period two, and is chosen by how long the series remembers:
 * that of the numbers for a mean, the longer one of theirs and of their signs about it for a median (of an oscillation
 * the signs remember nothing, where its level does), and of what each row adds to the value (without it less with it)
 * for a statistic of one's own (which of an oscillation's median tells too little, as its signs do: ask for
 * `'median'`). A `share` has an interval of its own, see below.
 *
 * It does not prove anything of another seed (`betweenSeeds` does), nor of steps outside of the rows: a run that goes
 * on to change makes a mean over it that nothing else has. Of 60 numbers that remember 20 (an autoregression with
 * φ = .9) intervals hold the truth in about 85 % of cases, not 95 %: there are too few blocks to know that.
 *
 * `share` is the share of true, or of numbers above 0: Clopper and Pearson's interval with the effective size in
 * place of n, as Korn and Graubard (1998) have it. Hand in the number whose sign is asked about (x − edge) rather than
 * the answer: where all answers are the same, only the numbers tell how long they remember.
 *
 * Cost: `resamples` + n evaluations of a statistic of one's own.
 *
 * Source: Künsch (1989); Politis and Romano (1992), the ends joined; Hesterberg (2015), small samples.
 *
 * @param rows In the order of their steps, equally far apart. With fewer than 8 there is a value and no interval: it
 *   goes from −∞ to ∞.
 * @param statistic `'mean'`, `'median'`, `'share'`, or a function of rows; where it is not finite for a draw, that
 *   draw counts as beyond both ends.
 * @param options `resamples` (1000), `seed` (0): the same rows, statistic and seed give the same interval.
 * @throws BrinkError for an option out of its range, or a row that is no finite number where the statistic needs one.
 * @example
 * import { blockInterval } from 'brink';
 *
 * const sharpness = [9.8, 10.3, 9.7, 10.4, 9.9, 10.2, 9.6, 10.3, 9.8, 10.1, 9.9, 10.2];
 * const { value, low, high } = blockInterval(sharpness, 'median');
 * console.log(value, low < value && value < high); // 10 true
 * @see betweenSeeds, ratioOfSums, lineFitInterval
 */
export function blockInterval(
  rows: readonly number[],
  statistic: 'mean' | 'median',
  options?: BlockIntervalOptions,
): Estimate;
export function blockInterval(
  rows: readonly number[] | readonly boolean[],
  statistic: 'share',
  options?: BlockIntervalOptions,
): Estimate;
export function blockInterval<T>(
  rows: readonly T[],
  statistic: (rows: readonly T[]) => number,
  options?: BlockIntervalOptions,
): Estimate;
export function blockInterval<T>(
  rows: readonly T[],
  statistic: 'mean' | 'median' | 'share' | ((rows: readonly T[]) => number),
  options: BlockIntervalOptions = {},
): Estimate {
  requireNames(WHO, options, ['resamples', 'seed']);
  const { resamples = 1000, seed = 0 } = options;
  requireInteger(WHO, 'resamples', resamples, 100);
  requireInteger(WHO, 'seed', seed, 0);
  if (statistic === 'share')
    return intervalOfShare(
      sharesOf(rows),
      rows.every((row) => typeof row === 'boolean'),
    );
  if (typeof statistic === 'function') {
    // Of a list of its own: one that sorts it in place would change the order of the rows, and of those drawn next.
    const of = (some: readonly T[]) => statistic(some.slice());
    return interval(rows, of, 'the statistic', (value) => [influences(rows, of, value)], resamples, seed);
  }
  const numbers = numbersOf(rows);
  if (statistic === 'mean') return interval(numbers, mean, 'the mean', () => [numbers], resamples, seed);
  if (statistic === 'median') {
    const signs = (value: number) => numbers.map((x) => Math.sign(x - value));
    return interval(numbers, median, 'the median', (value) => [signs(value), numbers], resamples, seed);
  }
  throw new BrinkError(
    WHO,
    `statistic is ${String(statistic)}. It is 'mean', 'median', 'share', or a function of rows.`,
  );
}

function interval<T>(
  rows: readonly T[],
  statistic: (rows: readonly T[]) => number,
  what: string,
  seriesOf: (value: number) => readonly (readonly number[])[],
  resamples: number,
  seed: number,
): Estimate {
  const n = rows.length;
  const value = statistic(rows);
  const open = { value, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY, size: n };
  if (n < LEAST_ROWS) return { ...open, method: `none: fewer than ${LEAST_ROWS} rows`, effectiveSize: Math.min(n, 1) };
  if (!Number.isFinite(value)) return { ...open, method: `none: ${what} is not finite`, effectiveSize: 1 };
  const { blockLength, blocks, effectiveSize } = longestMemory(seriesOf(value));
  const random = generator(seed);
  const drawn = new Array<T>(n);
  const lows = new Float64Array(resamples);
  const highs = new Float64Array(resamples);
  for (let k = 0; k < resamples; k++) {
    for (let i = 0; i < n; i += blockLength) {
      const start = uniformInt(random, 0, n - 1);
      for (let j = 0; j < blockLength && i + j < n; j++) drawn[i + j] = rows[(start + j) % n]!;
    }
    const other = statistic(drawn);
    lows[k] = Number.isFinite(other) ? other : Number.NEGATIVE_INFINITY;
    highs[k] = Number.isFinite(other) ? other : Number.POSITIVE_INFINITY;
  }
  const scale = (studentQuantile(0.95, blocks - 1) / NORMAL) * Math.sqrt(n / (n - blockLength));
  return {
    value,
    low: value - scale * Math.max(0, value - quantile(lows, 0.025)),
    high: value + scale * Math.max(0, quantile(highs, 0.975) - value),
    method: `moving-block bootstrap of ${what}, blocks of ${blockLength}`,
    size: n,
    effectiveSize,
  };
}

/** The normal distribution's quantile for 95 %. */
const NORMAL = 1.959963984540054;

/** What each row adds to the value: (n − 1)·(value − value without it). */
function influences<T>(rows: readonly T[], statistic: (rows: readonly T[]) => number, value: number): number[] {
  const n = rows.length;
  // The rows without the k-th: each time one entry changes.
  const others = rows.slice(1);
  return rows.map((_, k) => {
    if (k > 0) others[k - 1] = rows[k - 1]!;
    const without = statistic(others);
    return Number.isFinite(without) ? (n - 1) * (value - without) : 0;
  });
}

/** The number below which the share p of the values lies; beside one that is infinite, the outer one of the two. */
function quantile(values: Float64Array, p: number): number {
  values.sort();
  const at = p * (values.length - 1);
  const [below, above] = [values[Math.floor(at)]!, values[Math.ceil(at)]!];
  if (below === above || !Number.isFinite(above - below)) return p < 0.5 ? below : above;
  return below + (at - Math.floor(at)) * (above - below);
}

function mean(values: readonly number[]): number {
  // From the first on, so that the mean of equal numbers is that number.
  const [first = 0] = values;
  let sum = 0;
  for (const value of values) sum += value - first;
  return first + sum / values.length;
}

function median(values: readonly number[]): number {
  const sorted = new Float64Array(values).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

function numbersOf(rows: readonly unknown[]): number[] {
  return rows.map((row, k) => {
    if (typeof row === 'number' && Number.isFinite(row)) return row;
    throw new BrinkError(
      WHO,
      `row ${k} is ${String(row)}. It must be a finite number; leave out what was not measured.`,
    );
  });
}

function sharesOf(rows: readonly unknown[]): number[] {
  return rows.every((row) => typeof row === 'boolean') ? rows.map(Number) : numbersOf(rows);
}
