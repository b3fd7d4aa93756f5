import { hostname } from 'node:os';
import { z } from 'zod';
import { BrinkError } from '../core/errors.ts';
import type { Json, JsonObject } from '../core/Json.ts';
import type { Table } from '../core/Table.ts';

/** What a finished table is to be: an Arrow stream, or a Parquet file made from it. */
export type TableFormat = 'arrow' | 'parquet';

const TABLE = 'brink.table';
const FORMAT = 'brink.format';
const PROCESS = 'brink.process';

const declaration = z.object({
  name: z.string(),
  description: z.string(),
  key: z.array(z.string()),
  columns: z.record(
    z.string(),
    z.object({
      type: z.enum(['float64', 'float32', 'int32', 'int64', 'bool', 'utf8', 'timestamp']),
      list: z.boolean(),
      nullable: z.boolean(),
      unit: z.string(),
      symbol: z.string(),
      description: z.string(),
    }),
  ),
});

/** What the key-values of a table's file say. */
export interface TableMetadata {
  readonly table: Table;
  readonly format: TableFormat;
  /** The process that writes or wrote it. */
  readonly process: { readonly host: string; readonly pid: number };
  /** What the run says of itself. */
  readonly metadata: JsonObject;
}

/** The key-values of a table's file: one for each entry of `metadata`, as JSON, and brink's own. */
export function toKeyValues(table: Table, format: TableFormat, metadata: JsonObject): Map<string, string> {
  return new Map<string, string>([
    ...Object.entries(metadata).map(([key, value]): [string, string] => [key, JSON.stringify(value)]),
    [TABLE, JSON.stringify(table)],
    [FORMAT, format],
    [PROCESS, JSON.stringify({ host: hostname(), pid: process.pid })],
  ]);
}

/** Reads them back. @throws BrinkError where the file is not one of brink's. */
export function fromKeyValues(who: string, path: string, keyValues: ReadonlyMap<string, string>): TableMetadata {
  const table = keyValues.get(TABLE);
  const format = keyValues.get(FORMAT);
  const owner = keyValues.get(PROCESS);
  if (table === undefined || owner === undefined || (format !== 'arrow' && format !== 'parquet')) {
    throw new BrinkError(
      who,
      `${path} does not say which table it holds (${TABLE}). It was not written by brink; read it with an Arrow or Parquet library.`,
    );
  }
  const own = new Set([TABLE, FORMAT, PROCESS, 'ARROW:schema']);
  const metadata = [...keyValues]
    .filter(([key]) => !own.has(key))
    .map(([key, value]): [string, Json] => [key, JSON.parse(value)]);
  return {
    table: declaration.parse(JSON.parse(table)) as Table,
    format,
    process: JSON.parse(owner),
    metadata: Object.fromEntries(metadata),
  };
}
