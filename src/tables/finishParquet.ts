import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { BrinkError } from '../core/errors.ts';
import { syncFolder } from '../files/syncFolder.ts';
import { openLog } from './openLog.ts';

/** Told how far a table is that takes long to finish: rows that are done, of all. */
export type FinishListener = (done: number, rows: number) => void;

/** It is told for the first time after so many milliseconds, and then as often. */
const QUIET = 1500;
const PAUSE = 5000;

/**
 * Makes the Parquet file of a finished log and removes the log once the rows have been counted in the file on disk.
 *
 * May be cut off anywhere and called again: the log stays until the Parquet file is whole.
 *
 * @param onProgress Told after a second and a half, then every five seconds, and then at the end.
 * @returns The number of rows.
 * @throws BrinkError where the file cannot be written or holds another number of rows; the log is kept.
 */
export async function finishParquet(
  who: string,
  logPath: string,
  path: string,
  onProgress?: FinishListener,
): Promise<number> {
  // Open to the end, so that `recover` sees that a process is at work on it.
  const log = openLog(who, logPath);
  const advice = `The ${log.rows} rows are kept in ${logPath}; \`brink recover ${dirname(path)}\` tries again.`;
  try {
    const { writeParquet } = await import('./writeParquet.ts');
    const { asyncBufferFromFile, parquetMetadataAsync } = await import('hyparquet');
    const told = pacedBy(onProgress, log.rows);
    await writeParquet(log, path, told.at).catch((cause) => {
      throw new BrinkError(who, `${path} cannot be written: ${cause?.message ?? cause}. ${advice}`, { cause });
    });
    const { num_rows } = await parquetMetadataAsync(await asyncBufferFromFile(path));
    if (Number(num_rows) !== log.rows) {
      throw new BrinkError(who, `${path} holds ${num_rows} rows, but ${log.rows} were written. ${advice}`);
    }
    told.end();
    rmSync(logPath);
    syncFolder(dirname(path));
    return log.rows;
  } finally {
    log.close();
  }
}

/** Passes on how far it is, now and then; the end only where something was said before. */
function pacedBy(listener: FinishListener | undefined, rows: number) {
  let next = performance.now() + QUIET;
  let isTold = false;
  return {
    at(done: number) {
      if (listener === undefined || performance.now() < next) return;
      next = performance.now() + PAUSE;
      isTold = true;
      listener(done, rows);
    },
    end() {
      if (isTold) listener?.(rows, rows);
    },
  };
}
