import type { Table } from '../core/Table.ts';
import { damaged } from '../files/openArrowFile.ts';
import { openLog } from './openLog.ts';
import { AS_WRITTEN } from './readTable.ts';
import { requireSealed } from './requireSealed.ts';
import { fromKeyValues } from './tableMetadata.ts';

/** What names the rows of a table, without the rest of them. */
export interface TableKeys {
  readonly table: Table;
  /** In the order of the rows, with the columns of the key alone. */
  readonly keys: Iterable<Readonly<Record<string, unknown>>>;
}

/**
 * Reads the keys of a table, whole or as far as a crash left it.
 *
 * @param path A `.parquet`, `.arrows` or `.arrows.part` file.
 * @throws BrinkError where it is none of brink's tables, or damaged.
 */
export async function readKeys(who: string, path: string): Promise<TableKeys> {
  if (!path.endsWith('.parquet')) {
    const log = openLog(who, path);
    try {
      const keys = [...log.batches()].flatMap((rows) => rows.map((row) => ofKey(log.table, row)));
      return { table: log.table, keys };
    } finally {
      log.close();
    }
  }
  requireSealed(who, path);
  const { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } = await import('hyparquet');
  const file = await asyncBufferFromFile(path);
  const inSentence = (cause: unknown): never => {
    throw damaged(who, path, 'the content', (cause as Error).message, cause);
  };
  const header = await parquetMetadataAsync(file).catch(inSentence);
  const keyValues = new Map((header.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']));
  const { table } = fromKeyValues(who, path, keyValues);
  const columns = [...table.key];
  const keys =
    columns.length === 0
      ? []
      : await parquetReadObjects({ ...AS_WRITTEN, file, metadata: header, columns }).catch(inSentence);
  return { table, keys };
}

const ofKey = ({ key }: Table, row: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(key.map((name) => [name, row[name]]));
