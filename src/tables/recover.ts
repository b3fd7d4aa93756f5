import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Message, MessageHeader } from 'apache-arrow';
import { BrinkError } from '../core/errors.ts';
import { finishParquet } from './finishParquet.ts';
import { readLog } from './readLog.ts';
import { syncFolder } from './syncFolder.ts';
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
}

const WHO = 'recover';
const END_OF_STREAM = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0);

/**
 * Finishes the tables that a crash left unfinished in a folder and the folders below it.
 *
 * A torn last batch is cut off, the Arrow stream is ended, and where it was to become Parquet it does. May be cut off anywhere
 * and run again; a second run finds nothing to do. Tables that a living process on this machine is writing are left alone.
 *
 * @param directory Where to look.
 * @returns One entry for each table that was unfinished.
 * @throws BrinkError where the folder is not there.
 */
export async function recover(directory: string): Promise<RecoveredTable[]> {
  if (!existsSync(directory))
    throw new BrinkError(WHO, `there is no folder ${resolve(directory)}. Name the folder of a run.`);
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((file) => join(directory, file));
  const results: RecoveredTable[] = [];
  for (const file of files.filter((f) => f.endsWith('.parquet.tmp'))) {
    // Its log is there still: a log is removed only when the file has its name.
    if (existsSync(logPaths(file.slice(0, -'.parquet.tmp'.length)).whole)) rmSync(file);
  }
  for (const file of files.filter((f) => f.endsWith('.arrows.part') || f.endsWith('.arrows'))) {
    let bytesLost = 0;
    try {
      const stem = file.replace(/\.arrows(\.part)?$/, '');
      const { part, whole } = logPaths(stem);
      if (file === part) {
        await refuseLiving(part);
        bytesLost = endStream(part);
        renameSync(part, whole);
        syncFolder(dirname(whole));
      }
      const { format } = await readLog(WHO, whole);
      if (format === 'parquet') {
        const rows = await finishParquet(WHO, whole, `${stem}.parquet`);
        results.push({ path: `${stem}.parquet`, rows, bytesLost, problem: null });
      } else if (file === part) {
        results.push({ path: whole, rows: await countRows(whole), bytesLost, problem: null });
      }
    } catch (error) {
      results.push({ path: file, rows: 0, bytesLost, problem: (error as Error).message });
    }
  }
  return results;
}

async function countRows(path: string): Promise<number> {
  let rows = 0;
  for await (const batch of (await readLog(WHO, path)).batches()) rows += batch.length;
  return rows;
}

/** Throws where the process that opened the log still runs on this machine. */
async function refuseLiving(part: string): Promise<void> {
  // A file whose schema is torn is told about when its stream is ended.
  const owner = await readLog(WHO, part).then(
    (log) => log.process,
    () => null,
  );
  if (owner === null || owner.host !== hostname() || owner.pid === process.pid) return;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return;
  }
  throw new BrinkError(
    WHO,
    `${part} is being written by process ${owner.pid}. It finishes the table itself; if that process is not brink, its number was given out anew: recover after it has ended.`,
  );
}

/** Cuts an Arrow stream after its last whole batch and ends it; returns how many bytes were cut off. */
function endStream(path: string): number {
  const file = openSync(path, 'r+');
  try {
    const { end, ended } = lastWholeMessage(file);
    if (end === 0)
      throw new BrinkError(
        WHO,
        `${path} has no whole schema message. The process was stopped before any row was written; remove the file.`,
      );
    if (ended) return 0;
    const lost = fstatSync(file).size - end;
    ftruncateSync(file, end);
    writeSync(file, END_OF_STREAM, 0, END_OF_STREAM.length, end);
    fsyncSync(file);
    return lost;
  } finally {
    closeSync(file);
  }
}

/** Walks the message headers: where the last whole schema or batch ends, and whether the end of the stream follows. */
function lastWholeMessage(file: number): { end: number; ended: boolean } {
  const { size } = fstatSync(file);
  const prefix = Buffer.alloc(8);
  let end = 0;
  while (end + prefix.length <= size) {
    readSync(file, prefix, 0, prefix.length, end);
    const length = prefix.readInt32LE(4);
    if (prefix.readInt32LE(0) !== -1 || length < 0 || end + prefix.length + length > size) break;
    if (length === 0) return { end, ended: true };
    const header = new Uint8Array(length);
    readSync(file, header, 0, length, end + prefix.length);
    const message = decode(header);
    if (message === undefined || (end === 0 && message.headerType !== MessageHeader.Schema)) break;
    const next = end + prefix.length + length + Number(message.bodyLength);
    if (next > size) break;
    end = next;
  }
  return { end, ended: false };
}

/** A message header; undefined where the bytes are none. */
function decode(bytes: Uint8Array): Message | undefined {
  try {
    return Message.decode(bytes);
  } catch {
    return undefined;
  }
}
