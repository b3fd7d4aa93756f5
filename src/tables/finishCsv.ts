import { rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { BrinkError } from '../core/errors.ts';
import { syncFolder } from '../files/syncFolder.ts';
import { WholeFile } from '../files/WholeFile.ts';
import { csvCell } from './csvCell.ts';
import { openLog } from './openLog.ts';

/**
 * Makes the CSV file of a finished log, and removes the log. May be cut off anywhere and called again.
 *
 * @returns The number of rows.
 * @throws BrinkError where the file can't be written; the log is kept.
 */
export async function finishCsv(who: string, logPath: string, path: string): Promise<number> {
  const log = openLog(who, logPath);
  try {
    const names = Object.keys(log.table.columns);
    const whole = new WholeFile(path);
    try {
      writeFileSync(whole.file, `${names.map(csvCell).join(',')}\n`);
      for (const rows of log.batches()) {
        writeFileSync(whole.file, rows.map((row) => `${names.map((name) => csvCell(row[name])).join(',')}\n`).join(''));
      }
      whole.finish();
    } catch (error) {
      whole.discard();
      throw error;
    }
    rmSync(logPath);
    syncFolder(dirname(path));
    return log.rows;
  } catch (cause) {
    if (cause instanceof BrinkError) throw cause;
    throw new BrinkError(
      who,
      `${path} cannot be written: ${(cause as Error).message}. The ${log.rows} rows are kept in ${logPath}; ` +
        `\`brink recover ${dirname(path)}\` tries again.`,
      { cause },
    );
  } finally {
    log.close();
  }
}
