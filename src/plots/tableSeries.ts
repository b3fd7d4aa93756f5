import type { Table } from '../core/Table.ts';
import { type AnyRow, symbolOf } from './tableColumns.ts';

/** Rows that one line goes through. */
export interface Series {
  /** What they have in common: `b = 4, t = 10`; empty where there is one series. */
  readonly label: string;
  readonly rows: readonly AnyRow[];
}

/** More than these in one frame can't be told apart. */
export const MOST_SERIES = 8;

/**
 * Rows by their values in some columns, in order; of very many, some at equal distances.
 *
 * @returns The series, and a sentence on those left out.
 */
export function seriesOf(
  table: Table,
  rows: readonly AnyRow[],
  by: readonly string[],
): { readonly series: readonly Series[]; readonly note: string | undefined } {
  const varying = by.filter((name) => rows.some((row) => row[name] !== rows[0]![name]));
  const groups = Map.groupBy(rows, (row) => JSON.stringify(varying.map((name) => row[name])));
  const all = [...groups.values()].sort((a, b) => compared(a[0]!, b[0]!, varying));
  const chosen = spread(all, MOST_SERIES);
  const series = chosen.map((rows) => ({
    label: varying.map((name) => `${symbolOf(table, name)} = ${short(rows[0]![name])}`).join(', '),
    rows,
  }));
  const names = varying.map((name) => symbolOf(table, name)).join(', ');
  const note =
    chosen.length < all.length ? `${chosen.length} of ${all.length} values of ${names} are drawn.` : undefined;
  return { series, note };
}

function compared(a: AnyRow, b: AnyRow, names: readonly string[]): number {
  for (const name of names) {
    const [one, other] = [a[name], b[name]];
    if (typeof one === 'number' && typeof other === 'number' && one !== other) return one - other;
    if (one !== other) return String(one) < String(other) ? -1 : 1;
  }
  return 0;
}

/** At most `most` of some values, the first and the last among them, at equal distances. */
export function spread<T>(values: readonly T[], most: number): T[] {
  if (values.length <= most) return [...values];
  return Array.from({ length: most }, (_, k) => values[Math.round((k * (values.length - 1)) / (most - 1))]!);
}

/** A value as a legend has it: whole numbers in full. */
export const short = (value: unknown): string =>
  typeof value === 'number' && !Number.isInteger(value) ? `${Number(value.toPrecision(4))}` : String(value);
