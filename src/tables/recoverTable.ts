import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { BrinkError } from '../core/errors.ts';
import { ArrowFile } from '../files/ArrowFile.ts';
import { FileLock } from '../files/FileLock.ts';
import { isBeingWritten } from '../files/isBeingWritten.ts';
import { isUnbegun } from '../files/isUnbegun.ts';
import { syncFolder } from '../files/syncFolder.ts';
import { ENDINGS, finishLog } from './finishLog.ts';
import { formatOfLog } from './formatOfLog.ts';
import { openLog } from './openLog.ts';
import { logPaths } from './TableLog.ts';

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
  /** The process that is recovering it at this moment, so that it was left to it; null: none. */
  readonly leftTo: number | null;
}

/** Who is told while a table is finished that takes longer than a second or two. */
export interface RecoverOptions {
  readonly onProgress?: (progress: { readonly path: string; readonly done: number; readonly rows: number }) => void;
}

/** A log without a schema is somebody's for a moment, in milliseconds: what is older a crash has left. */
const BEGINNING = 10_000;

/**
 * Finishes the table of one log, `<stem>.arrows.part` or `<stem>.arrows`; undefined where it is finished already, or
 * not one of brink's tables. One that was cut off before its schema holds no row, and is removed.
 */
export async function recoverTable(
  who: string,
  file: string,
  onProgress: RecoverOptions['onProgress'] = () => {},
): Promise<RecoveredTable | undefined> {
  const stem = file.replace(/\.arrows(\.part)?$/, '');
  const { part, whole } = logPaths(stem);
  const left = { path: file, rows: 0, bytesLost: 0, problem: null, leftTo: null };
  let bytesLost = 0;
  let lock: FileLock | null = null;
  try {
    if (file === whole && (formatOfLog(who, whole) ?? 'arrow') === 'arrow') return undefined;
    const taken = FileLock.take(whole);
    if (!(taken instanceof FileLock)) return { ...left, leftTo: taken.pid };
    lock = taken;
    // Another process may have finished it before the lock was free.
    if (!existsSync(file)) return undefined;
    if (file === part && isUnbegun(who, part)) return { ...left, bytesLost: removeUnbegun(who, part) };
    requireLeft(who, file);
    const { format, rows, end, tornBytes } = describe(who, file);
    if (file === part) {
      if (existsSync(whole)) {
        throw new BrinkError(who, `${part} and ${whole} are both there. One would be lost; move one of them away.`);
      }
      endStream(part, end);
      bytesLost = tornBytes;
      renameSync(part, whole);
      syncFolder(dirname(whole));
    }
    if (format === 'arrow') return { ...left, path: whole, rows, bytesLost };
    const target = `${stem}${ENDINGS[format]}`;
    rmSync(`${target}.tmp`, { force: true });
    const count = await finishLog(who, format, whole, target, (done, rows) => onProgress({ path: target, done, rows }));
    return { ...left, path: target, rows: count, bytesLost };
  } catch (error) {
    // Another process has finished it between two looks.
    if (lock === null && !existsSync(file)) return undefined;
    return { ...left, path: existsSync(file) ? file : whole, bytesLost, problem: (error as Error).message };
  } finally {
    lock?.release();
  }
}

/** Removes a log that holds no row, and does not say who writes it; its bytes. Throws where it may just be begun. */
function removeUnbegun(who: string, path: string): number {
  const { size, mtimeMs } = statSync(path);
  if (Math.abs(Date.now() - mtimeMs) < BEGINNING) {
    throw new BrinkError(
      who,
      `${path} has no whole schema message, so it holds no row, and is younger than ${BEGINNING / 1000} seconds. A process may be beginning it; call again later, and it is removed if it is still so.`,
    );
  }
  rmSync(path);
  return size;
}

/** Throws while a living process on this machine has a log in hand. */
function requireLeft(who: string, path: string): void {
  const { writer, close } = openLog(who, path);
  close();
  if (!isBeingWritten(path, writer)) return;
  throw new BrinkError(who, `${path} is being written by process ${writer?.pid}, which finishes it itself.`);
}

/** What a log holds; it is closed again. */
function describe(who: string, path: string) {
  const log = openLog(who, path);
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
