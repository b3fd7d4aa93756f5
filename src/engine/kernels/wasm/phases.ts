/** One of a stride's phases along an axis: the entries of x that meet the same taps of the filter, a stride apart. */
export interface Phase {
  /** The first such entry of x, and how many there are. */
  readonly first: number;
  readonly count: number;
  /** The taps, turned. */
  readonly taps: readonly number[];
  /** Zeros before dy with which its convolution with the turned taps gives the phase; negative: entries left out. */
  readonly before: number;
}

/**
 * The phases of an input gradient along one axis. Each is a dense convolution of dy, so nothing is multiplied with the
 * zeros that a stride leaves between dy's entries.
 *
 * @param before zeros before x.
 */
export function phases(length: number, filter: number, stride: number, before: number): Phase[] {
  return Array.from({ length: Math.min(stride, filter) }, (_, tap): Phase => {
    const taps = Array.from({ length: Math.ceil((filter - tap) / stride) }, (_, t) => tap + t * stride).reverse();
    // x's entry (q · stride + tap − before) meets dy's entries q − taps.length + 1 … q.
    const least = Math.max(0, Math.ceil((before - tap) / stride));
    const greatest = Math.floor((length - 1 + before - tap) / stride);
    return {
      first: least * stride + tap - before,
      count: greatest - least + 1,
      taps,
      before: taps.length - 1 - least,
    };
  }).filter(({ count }) => count > 0);
}
