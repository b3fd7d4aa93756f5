import { BrinkError } from '../core/errors.ts';
import { requirePath } from '../core/given.ts';
import type { JsonObject } from '../core/Json.ts';
import type { Row, Table } from '../core/Table.ts';
import { damaged } from '../files/openArrowFile.ts';
import { TEXT } from './arrowColumns.ts';
import { openLog } from './openLog.ts';
import { requireSealed } from './requireSealed.ts';
import { fromKeyValues } from './tableMetadata.ts';

/** A table that was read back. */
export interface ReadTable<T extends Table> {
  readonly table: T;
  readonly rows: Row<T>[];
  /** What the run said of itself. */
  readonly metadata: JsonObject;
}

const WHO = 'readTable';

/** Has the library read text as it was written, and nothing as a place on the globe. */
export const AS_WRITTEN = {
  geoparquet: false,
  parsers: { stringFromBytes: (bytes: Uint8Array | undefined) => bytes && TEXT.decode(bytes) },
};

/**
 * Reads a table that brink wrote, Parquet or Arrow: rows as objects, lists as arrays.
 *
 * @param path A `.parquet` or `.arrows` file.
 * @param table The declaration that the rows must have; it gives them their type. Without it, the file's own is taken.
 * The bytes are compared with their checksums, which files of before there were any lack.
 *
 * @throws BrinkError where the file has another ending, is not brink's, is damaged, or has other columns than `table`.
 */
export async function readTable<T extends Table = Table>(path: string, table?: T): Promise<ReadTable<T>> {
  requirePath(WHO, path, ['.parquet', '.arrows']);
  const found = path.endsWith('.parquet') ? await readParquet(path) : readArrow(path);
  if (table !== undefined) {
    const names = ({ columns }: Table) => Object.keys(columns).join(', ');
    const shape = ({ columns }: Table) =>
      JSON.stringify(Object.entries(columns).map(([name, { type, list, nullable }]) => [name, type, list, nullable]));
    if (shape(found.table) !== shape(table)) {
      throw new BrinkError(
        WHO,
        `${path} holds the table '${found.table.name}' with the columns ${names(found.table)}; ` +
          `'${table.name}' declares ${names(table)}. It was written by another probe or another release.`,
      );
    }
  }
  return found as ReadTable<T>;
}

function readArrow(path: string): ReadTable<Table> {
  const log = openLog(WHO, path);
  try {
    return { table: log.table, rows: [...log.batches()].flat() as Row<Table>[], metadata: log.metadata };
  } finally {
    log.close();
  }
}

async function readParquet(path: string): Promise<ReadTable<Table>> {
  requireSealed(WHO, path);
  const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } = await import('hyparquet');
  const inSentence = (cause: unknown): never => {
    throw damaged(WHO, path, 'the content', (cause as Error).message, cause);
  };
  const file = await asyncBufferFromFile(path);
  const header = await parquetMetadataAsync(file).catch(inSentence);
  const keyValues = new Map((header.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']));
  const { table, metadata } = fromKeyValues(WHO, path, keyValues);
  const rows = await parquetReadObjects({
    file,
    metadata: header,
    ...AS_WRITTEN,
  }).catch(inSentence);
  for (const [name, { list, nullable }] of Object.entries(table.columns)) {
    // The library leaves a list that is null undefined.
    if (list && nullable) for (const row of rows) row[name] ??= null;
  }
  return { table, rows: rows as Row<Table>[], metadata };
}
