import { existsSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { BrinkError } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import { FileLock, holderOf } from '../files/FileLock.ts';
import { isAlive } from '../files/isAlive.ts';
import type { Writer } from '../files/isBeingWritten.ts';
import { isWithin } from '../files/isWithin.ts';
import { makeFolders } from '../files/makeFolders.ts';
import { realPath } from '../files/realPath.ts';
import { sayingWhy } from '../files/sayingWhy.ts';
import { findRecordedRun } from '../recording/recordedRun.ts';
import { namedFolder } from './namedFolder.ts';

const WHO = 'run';

/** The folder of one run: `run.json` in it says that it is taken, and by what. */
export class RunFolder {
  readonly directory: string;
  readonly #record: string;

  constructor(directory: string) {
    this.directory = namedFolder(WHO, directory);
    this.#record = this.path('run.json');
  }

  /**
   * The files that go when the folder is taken: those of the run that it holds. Throws where it can't be taken as it
   * stands: it holds a run, unless `overwrite`; then one that is alive.
   */
  requireFree({ overwrite }: { readonly overwrite: boolean }): readonly string[] {
    if (!existsSync(this.#record)) return [];
    if (!overwrite) throw this.#taken();
    return this.#filesToRemove([]);
  }

  /**
   * Makes the folder and takes it with a first record; refuses one that can't be written, or that holds a run, unless
   * `overwrite`: then one that is alive, or that holds what the new one `reads`.
   *
   * @param openLog Opens what others see by that the run lives. Until it has, a lock keeps them out: of several runs
   *   that begin at once each would find the one before gone or dead, and remove it.
   */
  take<L>(
    record: JsonObject,
    { overwrite, reads }: { readonly overwrite: boolean; readonly reads: readonly string[] },
    openLog: () => L,
  ): L {
    this.#make();
    const lock = this.#lock();
    try {
      this.#begin(record, { overwrite, reads });
      return openLog();
    } finally {
      lock?.release();
    }
  }

  /** The lock of the record; null on a file system that has no links, and so no locks. */
  #lock(): FileLock | null {
    let lock: FileLock | Writer | null;
    try {
      lock = FileLock.takeIfAny(this.#record);
    } catch (cause) {
      throw this.#notWritable(cause);
    }
    if (lock === null || lock instanceof FileLock) return lock;
    throw new BrinkError(
      WHO,
      `${this.directory} is being taken, or its run recovered, by process ${lock.pid} on ${lock.host}. Name another directory.`,
    );
  }

  #begin(
    record: JsonObject,
    { overwrite, reads }: { readonly overwrite: boolean; readonly reads: readonly string[] },
  ): void {
    if (overwrite) {
      for (const path of [...this.#filesToRemove(reads.map((path) => resolve(path))), this.#record]) {
        const advice = 'What was removed before it is gone; clear the folder by hand.';
        sayingWhy(WHO, `${path} of the run before can't be removed`, advice, () => rmSync(path, { force: true }));
      }
    }
    try {
      // 'wx' fails where the file is there, so of two runs that start at once only one has the folder.
      writeFileSync(this.#record, toText(record), { flag: 'wx' });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw this.#taken(cause);
      // A full disk leaves an empty file, which would stand in the way of the next run.
      rmSync(this.#record, { force: true });
      throw this.#notWritable(cause);
    }
  }

  /** Gives the folder back, without a run in it and without the files that it has made. */
  abandon(files: readonly string[]): void {
    for (const file of files) rmSync(this.path(file), { force: true });
    rmSync(this.#record, { force: true });
  }

  #taken(cause?: unknown): BrinkError {
    return new BrinkError(
      WHO,
      `${this.directory} already holds a run (run.json). Its results would be lost; name another directory, or pass overwrite: true.`,
      { cause },
    );
  }

  /** A file in the folder. */
  path(name: string): string {
    return join(this.directory, name);
  }

  #make(): void {
    try {
      makeFolders(this.directory);
    } catch (cause) {
      throw this.#notWritable(cause);
    }
  }

  #notWritable(cause: unknown): BrinkError {
    const why = (cause as Error).message;
    return new BrinkError(WHO, `${this.directory} can't be written: ${why}. Name a folder that can.`, { cause });
  }

  /**
   * Replaces the record in one stroke: a reader sees the old one or the new one, whole. What runs that went on with
   * this one have noted in it stays.
   */
  write(record: JsonObject): void {
    const continued = findRecordedRun(WHO, this.directory)?.continued ?? [];
    const temporary = `${this.#record}.tmp`;
    try {
      writeFileSync(temporary, toText({ ...record, ...(continued.length > 0 && { continued }) }), { flush: true });
      renameSync(temporary, this.#record);
    } catch (cause) {
      rmSync(temporary, { force: true });
      throw this.#notWritable(cause);
    }
  }

  /** The files that the run before lists as its own. Throws where one must stay: nothing is removed then. */
  #filesToRemove(reads: readonly string[]): string[] {
    const { files, writer, heartbeat } = this.#runBefore();
    if (writer !== null && isAlive(this.path('log.jsonl'), writer, heartbeat)) {
      const who = writer.host === hostname() ? '' : ` on ${writer.host}, which was there ${heartbeat}`;
      throw new BrinkError(
        WHO,
        `${this.directory} is being written by process ${writer.pid}${who}. Its tables would be torn; end it, or name another directory.`,
      );
    }
    const paths = files.map((file) => [file, resolve(this.directory, file)] as const);
    const read = new Set(reads.map(realPath));
    const needed = paths.find(([, path]) => read.has(realPath(path)));
    if (needed) {
      throw new BrinkError(
        WHO,
        `${needed[1]} is what this run reads, and overwrite would remove it. Nothing was removed; name another directory.`,
      );
    }
    for (const [, path] of paths) {
      const holder = holderOf(path);
      if (holder === null) continue;
      throw new BrinkError(
        WHO,
        `${path} is gone on with by process ${holder.pid} on ${holder.host}. Nothing was removed; end it, or name another directory.`,
      );
    }
    for (const [file, path] of paths) {
      if (!isWithin(this.directory, path) || !isWithin(realpathSync(this.directory), whereItIs(path))) {
        throw new BrinkError(
          WHO,
          `${this.#record} lists ${file}, which lies outside its folder. Nothing was removed; clear the folder by hand.`,
        );
      }
    }
    return paths.map(([, path]) => path);
  }

  /** The files of the run in the folder, and the process that writes it, where it says that it is running. */
  #runBefore(): { files: readonly string[]; writer: Writer | null; heartbeat: string | null } {
    try {
      const text = readFileSync(this.#record, 'utf8');
      // What a full disk has left.
      if (text === '') return { files: [], writer: null, heartbeat: null };
      const { files, state, process: writer, heartbeat = null } = JSON.parse(text);
      if (Array.isArray(files) && files.every((file) => typeof file === 'string')) {
        return { files, writer: state === 'running' && typeof writer?.pid === 'number' ? writer : null, heartbeat };
      }
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { files: [], writer: null, heartbeat: null };
      if (!(cause instanceof SyntaxError)) {
        const why = (cause as Error).message;
        throw new BrinkError(WHO, `${this.#record} can't be read: ${why}. Name another directory.`, { cause });
      }
    }
    throw new BrinkError(
      WHO,
      `${this.#record} is no record of a run. What the run before wrote is unknown; clear the folder by hand.`,
    );
  }
}

/** A path with every link on the way to it followed, but not the last. */
function whereItIs(path: string): string {
  const parent = dirname(path);
  return existsSync(parent) ? join(realpathSync(parent), basename(path)) : path;
}

function toText(record: JsonObject): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}
