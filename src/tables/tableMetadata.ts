import { BrinkError } from '../core/errors.ts';
import { hasFields } from '../core/hasFields.ts';
import type { Json, JsonObject } from '../core/Json.ts';
import { COLUMN_TYPES, type Table } from '../core/Table.ts';
import type { Writer } from '../files/isBeingWritten.ts';

/** What a finished table is to be: an Arrow stream, or a Parquet file made from it. */
export const TABLE_FORMATS = ['arrow', 'parquet', 'csv'] as const;
export type TableFormat = (typeof TABLE_FORMATS)[number];

const TABLE = 'brink.table';
const FORMAT = 'brink.format';
const WRITER = 'brink.writer';

const TABLE_FIELDS = { name: ['string'], description: ['string'], key: ['array'], columns: ['object'] } as const;
const COLUMN_FIELDS = {
  type: ['string'],
  list: ['boolean'],
  nullable: ['boolean'],
  unit: ['string'],
  symbol: ['string'],
  description: ['string'],
} as const;

/** What the key-values of a table's file say. */
export interface TableMetadata {
  readonly table: Table;
  readonly format: TableFormat;
  /** Who writes or wrote the log; null in Parquet, which is whole once it has its name. */
  readonly writer: Writer | null;
  /** What the run says of itself. */
  readonly metadata: JsonObject;
}

/** Names that brink or readers of the formats give a meaning of their own. */
const TAKEN = /^(brink\.|ARROW:|pandas$|geo$|__proto__$)/;

/**
 * The key-values of a table's file: one for each entry of `metadata`, as JSON, and brink's own.
 *
 * @throws BrinkError where an entry has a name that is taken.
 */
export function toKeyValues({ table, format, writer, metadata }: TableMetadata): Map<string, string> {
  for (const key of Object.keys(metadata)) {
    if (TAKEN.test(key)) {
      throw new BrinkError(
        'table',
        `the metadata of '${table.name}' has the entry '${key}'. ` +
          'Readers give that name a meaning of their own; choose another.',
      );
    }
  }
  return new Map<string, string>([
    ...Object.entries(metadata).map(([key, value]): [string, string] => [key, JSON.stringify(value)]),
    [TABLE, JSON.stringify(table)],
    [FORMAT, format],
    ...(writer ? [[WRITER, JSON.stringify(writer)] as const] : []),
  ]);
}

/** What a file is or was to become; undefined where it is not one of brink's tables. */
export function formatOf(keyValues: ReadonlyMap<string, string>): TableFormat | undefined {
  const format = keyValues.get(FORMAT);
  return keyValues.has(TABLE) ? TABLE_FORMATS.find((known) => known === format) : undefined;
}

/** Reads them back. @throws BrinkError where the file is not one of brink's, or has columns of another type. */
export function fromKeyValues(who: string, path: string, keyValues: ReadonlyMap<string, string>): TableMetadata {
  const table = keyValues.get(TABLE);
  const format = formatOf(keyValues);
  const writer = keyValues.get(WRITER);
  if (table === undefined || format === undefined) {
    throw new BrinkError(
      who,
      `${path} does not say which table it holds (${TABLE}). It was not written by brink; ` +
        'read it with an Arrow or Parquet library.',
    );
  }
  const parse = (key: string, value: string): Json => {
    try {
      return JSON.parse(value);
    } catch (cause) {
      throw new BrinkError(
        who,
        `${path} has the entry '${key}' in its key-values, which is no JSON: ${(cause as Error).message}. ` +
          'It was changed, or damaged; take another copy of it.',
        { cause },
      );
    }
  };
  const metadata = [...keyValues]
    .filter(([key]) => !TAKEN.test(key))
    .map(([key, value]): [string, Json] => [key, parse(key, value)]);
  return {
    table: declared(who, path, parse(TABLE, table)),
    format,
    writer: writer === undefined ? null : writtenBy(parse(WRITER, writer)),
    metadata: Object.fromEntries(metadata),
  };
}

/** Null where it names nobody. */
function writtenBy(value: Json): Writer | null {
  return hasFields(value, { host: ['string'], pid: ['integer'] }) ? (value as unknown as Writer) : null;
}

function declared(who: string, path: string, value: unknown): Table {
  if (!hasFields(value, TABLE_FIELDS) || !Object.values(value.columns as object).every(isColumn)) {
    throw new BrinkError(
      who,
      `${path} declares its table in a way that this brink can't read. It was changed, or damaged.`,
    );
  }
  const table = value as unknown as Table;
  const known: readonly string[] = COLUMN_TYPES;
  for (const [name, { type }] of Object.entries(table.columns)) {
    if (known.includes(type)) continue;
    throw new BrinkError(
      who,
      `${path} has the column '${name}' of the type ${type}, which is none of ${known.join(', ')}: ` +
        'read it with the brink that wrote it, or with an Arrow or Parquet library.',
    );
  }
  return table;
}

const isColumn = (value: unknown) => hasFields(value, COLUMN_FIELDS);
