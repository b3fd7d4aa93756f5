import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { BrinkError } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';

const WHO = 'run';

/** The folder of one run: `run.json` in it says that it is taken, and by what. */
export class RunFolder {
  readonly directory: string;
  readonly #record: string;

  /** Makes the folder and takes it with a first record; refuses one that holds a run unless `overwrite`, or can't be written. */
  constructor(directory: string, record: JsonObject, { overwrite }: { overwrite: boolean }) {
    this.directory = resolve(directory);
    this.#record = this.path('run.json');
    this.#make();
    if (overwrite) this.#removeRun();
    try {
      // 'wx' fails where the file is there, so of two runs that start at once only one has the folder.
      writeFileSync(this.#record, toText(record), { flag: 'wx' });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw this.#notWritable(cause);
      throw new BrinkError(
        WHO,
        `${this.directory} already holds a run (run.json). Its results would be lost; name another directory, or pass overwrite: true.`,
        { cause },
      );
    }
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
    writeFileSync(temporary, toText(record), { flush: true });
    renameSync(temporary, this.#record);
  }

  /** Removes the files that the run before lists as its own, and nothing else. */
  #removeRun(): void {
    for (const file of this.#listedFiles()) {
      const path = resolve(this.directory, file);
      const within = relative(this.directory, path);
      if (within === '' || within.startsWith('..') || isAbsolute(within)) {
        throw new BrinkError(
          WHO,
          `${this.#record} lists ${file}, which lies outside its folder. Nothing was removed; clear the folder by hand.`,
        );
      }
      rmSync(path, { force: true });
    }
    rmSync(this.#record, { force: true });
  }

  #listedFiles(): readonly string[] {
    try {
      const { files } = JSON.parse(readFileSync(this.#record, 'utf8'));
      if (Array.isArray(files) && files.every((file) => typeof file === 'string')) return files;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
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
