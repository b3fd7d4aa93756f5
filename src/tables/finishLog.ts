import type { FinishListener } from './finishParquet.ts';
import type { TableFormat } from './tableMetadata.ts';

/** What a file of each format ends in. */
export const ENDINGS: Record<TableFormat, string> = { arrow: '.arrows', parquet: '.parquet', csv: '.csv' };

/**
 * Makes of a finished log the file that it was to become, and removes the log; an Arrow stream is one already.
 *
 * @returns The number of rows.
 * @throws BrinkError where the file can't be written; the log is kept.
 */
export async function finishLog(
  who: string,
  format: Exclude<TableFormat, 'arrow'>,
  logPath: string,
  path: string,
  onProgress?: FinishListener,
): Promise<number> {
  if (format === 'csv') return (await import('./finishCsv.ts')).finishCsv(who, logPath, path);
  return (await import('./finishParquet.ts')).finishParquet(who, logPath, path, onProgress);
}
