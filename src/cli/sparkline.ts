const BARS = [...'▁▂▃▄▅▆▇█'];
/** What stands where no value is finite. */
const NOT_FINITE = '×';
const NO_VALUE = ' ';

/**
 * Numbers as a line of bars between their least and their largest, at most `width` wide: each bar is the mean of its part.
 *
 * Null leaves a gap; NaN and infinite values show as ×, where a part holds no other.
 */
export function sparkline(values: readonly (number | null)[], width = 40): string {
  const count = Math.min(width, values.length);
  const parts = Array.from({ length: count }, (_, k) =>
    values
      .slice(Math.floor((k * values.length) / count), Math.floor(((k + 1) * values.length) / count))
      .filter((value) => value !== null),
  );
  const means = parts.map((part) => {
    const finite = part.filter(Number.isFinite);
    if (finite.length === 0) return null;
    // Divided first, so that the sum of large numbers stays finite; equal numbers have themselves as their mean.
    const mean = finite.reduce((sum, value) => sum + value / finite.length, 0);
    return Math.min(Math.max(mean, Math.min(...finite)), Math.max(...finite));
  });
  const known = means.filter((mean) => mean !== null);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  return means
    .map((mean, k) => {
      if (mean === null) return parts[k]!.length === 0 ? NO_VALUE : NOT_FINITE;
      const share = most > least ? mean / (most - least) - least / (most - least) : 0;
      return BARS[Math.min(BARS.length - 1, Math.floor(share * BARS.length))]!;
    })
    .join('');
}
