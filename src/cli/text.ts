import { largest, least } from '../linalg/vector.ts';
import type { RunSummary } from '../runs/run.ts';

const BARS = [...'▁▂▃▄▅▆▇█'];
/** What stands where no value is finite. */
const NOT_FINITE = '×';
const NO_VALUE = ' ';

/** Rows of cells as lines, the columns aligned on the left; `indent` goes before each line. */
export function textTable(rows: readonly (readonly string[])[], indent = ''): string {
  const widths = (rows[0] ?? []).map((_, k) => Math.max(...rows.map((row) => width(row[k]!))));
  const line = (row: readonly string[]) => row.map((cell, k) => cell + ' '.repeat(widths[k]! - width(cell))).join('  ');
  return rows.map((row) => (indent + line(row)).trimEnd()).join('\n');
}

/** Characters as a terminal shows them: a mark that stands above the letter before it takes no place. */
function width(text: string): number {
  return [...text.replace(/\p{Mark}/gu, '')].length;
}

/**
 * Numbers as a line of bars between their least and their largest, at most `width` wide: each bar is the mean of its
 * part.
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
    return Math.min(Math.max(mean, least(finite)), largest(finite));
  });
  const known = means.filter((mean) => mean !== null);
  const [low, high] = [least(known), largest(known)];
  return means
    .map((mean, k) => {
      if (mean === null) return parts[k]!.length === 0 ? NO_VALUE : NOT_FINITE;
      const share = high > low ? mean / (high - low) - low / (high - low) : 0;
      return BARS[Math.min(BARS.length - 1, Math.floor(share * BARS.length))]!;
    })
    .join('');
}

/** A run's summary as JSON, errors as their messages. */
export function printSummary(summary: RunSummary): void {
  const plain = (_: string, value: unknown) => (value instanceof Error ? value.message : value);
  console.log(JSON.stringify(summary, plain, 2));
}
