/** What a series remembers of itself. */
export interface Memory {
  /** ℓ, even: how many neighbours stay together in a block. */
  readonly blockLength: number;
  /** How many blocks the series is long, n/ℓ. */
  readonly blocks: number;
  /** How many independent numbers the mean of the series is worth. */
  readonly effectiveSize: number;
}

/** A block is that many times as long as the series remembers. */
const MEMORIES = 4;

/** Four blocks of two: fewer rows do not tell how different blocks are. */
export const LEAST_ROWS = 8;

/**
 * How long a series x [n] remembers, and the length of the blocks in which it is to be taken.
 *
 * Near the edge of stability what is measured oscillates with period two, which autocorrelation takes for the opposite
 * of memory. So pairs of neighbours are looked at: y_j = (x_{2j} + x_{2j+1})/2, whose integrated autocorrelation time
 *
 *     τ = 1 + 2 Σ_k ρ_k(y)
 *
 * (Geyer's initial monotone sequence, at least 1) counts in pairs. A block has ℓ = 4·2τ numbers, at least √n and at
 * most n/4, and ℓ is even, so that every block has both sides of the oscillation. The effective size is n·var(x)/σ²,
 * σ² = ℓ var(mean of ℓ neighbours) over all overlapping blocks, at most n: what an oscillation cancels is no more
 * data. A series without variance does not tell what it remembers; each block then counts as one.
 *
 * Cost: n·(τ + 1) multiplications.
 *
 * @param given The series: at least 8 finite numbers.
 *
 * Source: Geyer (1992), Practical Markov chain Monte Carlo, Section 3.3; Meketon and Schmeiser (1984), overlapping
 * batch means.
 */
export function memoryOf(given: ArrayLike<number>): Memory {
  const n = given.length;
  const series = scaled(given);
  const pairs = Float64Array.from({ length: n >> 1 }, (_, j) => (series[2 * j]! + series[2 * j + 1]!) / 2);
  const wanted = Math.max(MEMORIES * 2 * autocorrelationTime(pairs), Math.sqrt(n));
  const blockLength = 2 * Math.min(Math.ceil(wanted / 2), Math.floor(n / LEAST_ROWS));
  const blocks = n / blockLength;
  const variance = sumOfSquares(series) / (n - 1);
  const ofBlocks = varianceByBlocks(series, blockLength);
  const effectiveSize = variance > 0 ? (n * variance) / ofBlocks : blocks;
  return { blockLength, blocks, effectiveSize: Math.min(Math.max(effectiveSize, 1), n) };
}

/** The longest memory of several series of the same rows. */
export function longestMemory(series: readonly ArrayLike<number>[]): Memory {
  const memories = series.map(memoryOf);
  const longest = memories.reduce((a, b) => (b.blockLength > a.blockLength ? b : a));
  return { ...longest, effectiveSize: memories.reduce((least, m) => Math.min(least, m.effectiveSize), Infinity) };
}

/**
 * The series from its first number on, within −1 and 1, which remembers the same: equal numbers are 0 to the last
 * digit, and no square leaves the range of float64.
 */
function scaled(series: ArrayLike<number>): Float64Array {
  // Halves: the difference of two numbers may exceed the largest one.
  const from = Float64Array.from(series, (x) => x / 2 - series[0]! / 2);
  const largest = from.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return largest > 0 ? from.map((x) => x / largest) : from;
}

/** 1 + 2 Σ ρ_k, summed in pairs of lags while these are positive and fall; at least 1. */
function autocorrelationTime(y: Float64Array): number {
  const mean = meanOf(y);
  const covariance = (lag: number) => {
    let sum = 0;
    for (let j = 0; j + lag < y.length; j++) sum += (y[j]! - mean) * (y[j + lag]! - mean);
    return sum;
  };
  const variance = covariance(0);
  if (variance === 0) return 1;
  let sum = 0;
  let last = Number.POSITIVE_INFINITY;
  for (let lag = 0; lag + 1 < y.length; lag += 2) {
    last = Math.min(last, covariance(lag) + covariance(lag + 1));
    if (last <= 0) break;
    sum += last;
  }
  return Math.max((2 * sum) / variance - 1, 1);
}

/** σ²: n times the variance of the mean, from the means of all overlapping blocks. */
function varianceByBlocks(series: ArrayLike<number>, length: number): number {
  const n = series.length;
  const mean = meanOf(series);
  let block = 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    block += series[i]! - mean;
    if (i >= length) block -= series[i - length]! - mean;
    if (i >= length - 1) squares += (block / length) ** 2;
  }
  return (n * length * squares) / ((n - length) * (n - length + 1));
}

function meanOf(series: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < series.length; i++) sum += series[i]!;
  return sum / series.length;
}

function sumOfSquares(series: ArrayLike<number>): number {
  const mean = meanOf(series);
  let sum = 0;
  for (let i = 0; i < series.length; i++) sum += (series[i]! - mean) ** 2;
  return sum;
}
