/** A number with what is known of it: a 95 % interval, equal-tailed, and what it rests on. */
export interface Estimate {
  /** NaN where what went in determines none. */
  readonly value: number;
  /** The lower end of the interval; −∞ where there is none. */
  readonly low: number;
  /** The upper end of the interval; ∞ where there is none. */
  readonly high: number;
  /** How the interval was made, in words. */
  readonly method: string;
  /** How many numbers, or rows, went in. */
  readonly size: number;
  /** How many independent ones they are worth: at least 1 and at most `size`, where there are any. */
  readonly effectiveSize: number;
}
