import type { TableEnd } from '../core/Step.ts';
import type { Table } from '../core/Table.ts';
import { keyOf } from './keyOf.ts';

/** Tells the rows that lie behind the end of a table from those that it holds. */
export function rowsBehind(table: Table, { step: last, keys }: TableEnd): (row: object) => boolean {
  const held = new Set(keys);
  return (row) => {
    const { step } = row as { readonly step?: unknown };
    if (!table.key.includes('step') || typeof step !== 'number' || step > last) return true;
    return step === last && !held.has(keyOf(table, row as Readonly<Record<string, unknown>>));
  };
}
