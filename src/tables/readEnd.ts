import { readFileSync } from 'node:fs';
import type { TableEnd } from '../core/Step.ts';
import type { Table } from '../core/Table.ts';
import { parseCsv } from '../files/csv.ts';
import { csvCell } from './csvCell.ts';
import { formatOfLog } from './formatOfLog.ts';
import { keyOf } from './keyOf.ts';
import { readEvents } from './readEvents.ts';
import { readKeys } from './readKeys.ts';
import { scalarsOf } from './scalarsOf.ts';

/** The last rows of a table on disk. */
export interface FoundEnd extends Pick<TableEnd, 'holds'> {
  /** The largest step in it; null: it has no row. */
  readonly step: number | null;
}

/**
 * Where a table ends, in whichever format: a log, Parquet, CSV, or TensorBoard's events.
 *
 * @returns `no step` where its rows have none; null where the file is no table.
 * @throws BrinkError where it is damaged.
 */
export async function readEnd(who: string, file: string): Promise<FoundEnd | 'no step' | null> {
  if (file.endsWith('.csv')) return endOfCsv(who, file);
  if (file.endsWith('.brink')) return endOfEvents(who, file);
  if (!file.endsWith('.parquet') && formatOfLog(who, file) === undefined) {
    // A table that had not begun, or a recording.
    return file.endsWith('.part') ? { step: null, holds: () => false } : null;
  }
  const { table, keys } = await readKeys(who, file);
  if (!table.key.includes('step')) return 'no step';
  const { step, rows } = lastOf(keys, ({ step }) => step as number);
  const held = new Set(rows.map((row) => keyOf(table, row)));
  return { step, holds: (own, row) => held.has(keyOf(own, row)) };
}

/** Of a table of text nothing says its key: the sink that goes on with it knows. */
function endOfCsv(who: string, file: string): FoundEnd | 'no step' {
  const [head, ...records] = parseCsv(who, file, readFileSync(file, 'utf8'), ',');
  const names = head?.cells ?? [];
  const place = names.indexOf('step');
  if (place < 0) return 'no step';
  const { step, rows } = lastOf(records, ({ cells }) => Number(cells[place]));
  // Compared as one text, without what stands around a cell.
  const textOf = (table: Table, cell: (column: string) => string) => JSON.stringify(table.key.map(cell));
  return {
    step,
    holds: (table, row) => {
      const own = textOf(table, (column) => parseCsv(who, file, csvCell(row[column]), ',')[0]?.cells[0] ?? '');
      return rows.some(({ cells }) => textOf(table, (column) => cells[names.indexOf(column)] ?? '') === own);
    },
  };
}

/** A row is there if all its scalars are. */
function endOfEvents(who: string, file: string): FoundEnd {
  const { step, rows } = lastOf(readEvents(who, file), (event) => event.step);
  const tags = new Set(rows.flatMap((event) => event.tags));
  return { step, holds: (table, row) => scalarsOf(table, row).every(({ tag }) => tags.has(tag)) };
}

/** The largest step, and the rows that have it. */
function lastOf<R>(all: Iterable<R>, stepOf: (row: R) => number): { readonly step: number | null; readonly rows: R[] } {
  let step: number | null = null;
  let rows: R[] = [];
  for (const row of all) {
    const at = stepOf(row);
    if (at < (step ?? at)) continue;
    if (at !== step) rows = [];
    step = at;
    rows.push(row);
  }
  return { step, rows };
}
