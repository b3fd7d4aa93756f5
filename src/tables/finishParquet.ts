import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { BrinkError } from '../core/errors.ts';
import { syncFolder } from '../files/syncFolder.ts';
import { openLog } from './openLog.ts';

/**
 * Makes the Parquet file of a finished log and removes the log once the rows have been counted in the file on disk.
 *
 * May be cut off anywhere and called again: the log stays until the Parquet file is whole.
 *
 * @returns The number of rows.
 * @throws BrinkError where the file cannot be written or holds another number of rows; the log is kept.
 */
export async function finishParquet(who: string, logPath: string, path: string): Promise<number> {
  // Open to the end, so that `recover` sees that a process is at work on it.
  const log = openLog(who, logPath);
  const advice = `The ${log.rows} rows are kept in ${logPath}; \`brink recover ${dirname(path)}\` tries again.`;
  try {
    const { writeParquet } = await import('./writeParquet.ts');
    const { asyncBufferFromFile, parquetMetadataAsync } = await import('hyparquet');
    await writeParquet(log, path).catch((cause) => {
      throw new BrinkError(who, `${path} cannot be written: ${cause?.message ?? cause}. ${advice}`, { cause });
    });
    const { num_rows } = await parquetMetadataAsync(await asyncBufferFromFile(path));
    if (Number(num_rows) !== log.rows) {
      throw new BrinkError(who, `${path} holds ${num_rows} rows, but ${log.rows} were written. ${advice}`);
    }
    rmSync(logPath);
    syncFolder(dirname(path));
    return log.rows;
  } finally {
    log.close();
  }
}
