import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { BrinkError } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import { isBeingWritten, type Writer } from '../files/isBeingWritten.ts';

const WHO = 'run';

/** The folder of one run: `run.json` in it says that it is taken, and by what. */
export class RunFolder {
  readonly directory: string;
  readonly #record: string;

  constructor(directory: string) {
    this.directory = resolve(directory);
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
   */
  take(
    record: JsonObject,
    { overwrite, reads }: { readonly overwrite: boolean; readonly reads: readonly string[] },
  ): void {
    this.#make();
    if (overwrite) {
      for (const path of this.#filesToRemove(reads.map((path) => resolve(path)))) rmSync(path, { force: true });
      rmSync(this.#record, { force: true });
    }
    try {
      // 'wx' fails where the file is there, so of two runs that start at once only one has the folder.
      writeFileSync(this.#record, toText(record), { flag: 'wx' });
    } catch (cause) {
      throw (cause as NodeJS.ErrnoException).code === 'EEXIST' ? this.#taken(cause) : this.#notWritable(cause);
    }
  }

  /** Gives the folder back, without a run in it. */
  abandon(log: string): void {
    rmSync(this.path(log), { force: true });
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
      mkdirSync(this.directory, { recursive: true });
    } catch (cause) {
      throw this.#notWritable(cause);
    }
  }

  #notWritable(cause: unknown): BrinkError {
    const why = (cause as Error).message;
    return new BrinkError(WHO, `${this.directory} can't be written: ${why}. Name a folder that can.`, { cause });
  }

  /** Replaces the record in one stroke: a reader sees the old one or the new one, whole. */
  write(record: JsonObject): void {
    const temporary = `${this.#record}.tmp`;
    try {
      writeFileSync(temporary, toText(record), { flush: true });
      renameSync(temporary, this.#record);
    } catch (cause) {
      rmSync(temporary, { force: true });
      throw this.#notWritable(cause);
    }
  }

  /** The files that the run before lists as its own. Throws where one must stay: nothing is removed then. */
  #filesToRemove(reads: readonly string[]): string[] {
    const { files, writer } = this.#runBefore();
    if (writer !== null && isBeingWritten(this.path('log.jsonl'), writer)) {
      throw new BrinkError(
        WHO,
        `${this.directory} is being written by process ${writer.pid}. Its tables would be torn; end it, or name another directory.`,
      );
    }
    const paths = files.map((file) => [file, resolve(this.directory, file)] as const);
    const needed = paths.find(([, path]) => reads.includes(path));
    if (needed) {
      throw new BrinkError(
        WHO,
        `${needed[1]} is what this run reads, and overwrite would remove it. Nothing was removed; name another directory.`,
      );
    }
    for (const [file, path] of paths) {
      const within = relative(this.directory, path);
      if (within === '' || within.startsWith('..') || isAbsolute(within)) {
        throw new BrinkError(
          WHO,
          `${this.#record} lists ${file}, which lies outside its folder. Nothing was removed; clear the folder by hand.`,
        );
      }
    }
    return paths.map(([, path]) => path);
  }

  /** The files of the run in the folder, and the process that writes it, where it says that it is running. */
  #runBefore(): { files: readonly string[]; writer: Writer | null } {
    try {
      const { files, state, process: writer } = JSON.parse(readFileSync(this.#record, 'utf8'));
      if (Array.isArray(files) && files.every((file) => typeof file === 'string')) {
        return { files, writer: state === 'running' && typeof writer?.pid === 'number' ? writer : null };
      }
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { files: [], writer: null };
      if (!(cause instanceof SyntaxError)) throw cause;
    }
    throw new BrinkError(
      WHO,
      `${this.#record} is no record of a run. What the run before wrote is unknown; clear the folder by hand.`,
    );
  }
}

function toText(record: JsonObject): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}
