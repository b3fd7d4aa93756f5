import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { BrinkError } from '../core/errors.ts';
import { ArrowFile } from '../files/ArrowFile.ts';
import { isBeingWritten } from '../files/isBeingWritten.ts';
import { openArrowFile } from '../files/openArrowFile.ts';
import { syncFolder } from '../files/syncFolder.ts';
import { finishParquet } from './finishParquet.ts';
import { openLog } from './openLog.ts';
import { logPaths } from './TableLog.ts';
import { formatOf, type TableFormat } from './tableMetadata.ts';

/** What became of one table. */
export interface RecoveredTable {
  /** The finished file, or the log where it could not be finished. */
  readonly path: string;
  /** Rows in it. */
  readonly rows: number;
  /** Bytes of a torn batch that were cut off: rows of at most the last second. */
  readonly bytesLost: number;
  /** Why it could not be finished; null where it is. */
  readonly problem: string | null;
}

const WHO = 'recover';

/**
 * Finishes the tables that a crash left unfinished in a folder and the folders below it.
 *
 * A torn last batch is cut off, the Arrow stream is ended, and where it was to become Parquet it does. May be cut off
 * anywhere and run again; a second run finds nothing to do. Tables that a living process on this machine is writing are
 * left alone; processes of other machines are not seen, so end them first. A log that is damaged within is left as it
 * is, and told of.
 *
 * @param directory Where to look.
 * @returns One entry for each table that was unfinished.
 * @throws BrinkError where the folder is not there.
 */
export async function recover(directory: string): Promise<RecoveredTable[]> {
  if (!existsSync(directory))
    throw new BrinkError(WHO, `there is no folder ${resolve(directory)}. Name the folder of a run.`);
  const logs = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.arrows.part') || file.endsWith('.arrows'))
    .sort()
    .map((file) => join(directory, file));
  const results: RecoveredTable[] = [];
  for (const log of logs) {
    const result = await recoverLog(log);
    if (result) results.push(result);
  }
  return results;
}

/** Finishes one log; undefined where it is finished already, or not one of brink's tables. */
async function recoverLog(file: string): Promise<RecoveredTable | undefined> {
  const stem = file.replace(/\.arrows(\.part)?$/, '');
  const { part, whole } = logPaths(stem);
  const target = `${stem}.parquet`;
  let bytesLost = 0;
  try {
    if (file === whole && formatOfLog(whole) !== 'parquet') return undefined;
    requireLeft(file);
    const { format, rows, end, tornBytes } = describe(file);
    if (file === part) {
      if (existsSync(whole)) {
        throw new BrinkError(WHO, `${part} and ${whole} are both there. One would be lost; move one of them away.`);
      }
      endStream(part, end);
      bytesLost = tornBytes;
      renameSync(part, whole);
      syncFolder(dirname(whole));
    }
    if (format === 'arrow') return { path: whole, rows, bytesLost, problem: null };
    rmSync(`${target}.tmp`, { force: true });
    return { path: target, rows: await finishParquet(WHO, whole, target), bytesLost, problem: null };
  } catch (error) {
    return { path: existsSync(file) ? file : whole, rows: 0, bytesLost, problem: (error as Error).message };
  }
}

/** What a whole Arrow stream is or was to become; undefined where it is not one of brink's tables. */
function formatOfLog(whole: string): TableFormat | undefined {
  try {
    return openArrowFile(WHO, whole, 'holds no Arrow schema.', ({ schema, close }) => {
      close();
      return formatOf(schema.metadata);
    });
  } catch (error) {
    if (error instanceof BrinkError) return undefined;
    throw error;
  }
}

/** Throws while a living process on this machine has a log in hand. */
function requireLeft(path: string): void {
  const { writer, close } = openLog(WHO, path);
  close();
  if (!isBeingWritten(path, writer)) return;
  throw new BrinkError(WHO, `${path} is being written by process ${writer?.pid}, which finishes it itself.`);
}

/** What a log holds; it is closed again. */
function describe(path: string) {
  const log = openLog(WHO, path);
  try {
    log.requireSound();
    return log;
  } finally {
    log.close();
  }
}

/** Cuts an Arrow stream behind its last whole batch and ends it. */
function endStream(path: string, end: number): void {
  new ArrowFile(path, { kept: end, refused: (cause) => cause }).end();
}
