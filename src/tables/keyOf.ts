import type { Table } from '../core/Table.ts';

/** A row's key as one text: rows with the same text have the same key. */
export const keyOf = ({ key }: Table, row: Readonly<Record<string, unknown>>): string =>
  key.map((column) => textOf(row[column])).join();

/** Values apart that JSON takes for one. */
export const textOf = (value: unknown): string =>
  typeof value === 'number' ? (Object.is(value, -0) ? '-0' : String(value)) : JSON.stringify(value);
