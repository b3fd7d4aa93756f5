import { existsSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync } from 'hyparquet';
import { BrinkError } from '../core/errors.ts';
import { readLog } from './readLog.ts';
import { syncFolder } from './syncFolder.ts';
import { writeParquet } from './writeParquet.ts';

/**
 * Makes the Parquet file of a finished log and removes the log once the rows have been counted in the file on disk.
 *
 * May be cut off anywhere and called again: the log stays until the Parquet file is whole.
 *
 * @returns The number of rows.
 */
export async function finishParquet(who: string, log: string, path: string): Promise<number> {
  const rows = await writeParquet(await readLog(who, log), path);
  const found = existsSync(path) ? Number((await parquetMetadataAsync(await asyncBufferFromFile(path))).num_rows) : 0;
  if (found !== rows) {
    throw new BrinkError(
      who,
      `${path} holds ${found} rows, but ${rows} were written. The log ${log} is kept; \`brink recover ${dirname(path)}\` tries again.`,
    );
  }
  rmSync(log);
  syncFolder(dirname(path));
  return rows;
}
