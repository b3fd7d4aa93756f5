import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { syncFolder } from './syncFolder.ts';

/** A file that stands whole or not at all: it is written as `<path>.tmp`, and bears its name once it is on the disk. */
export class WholeFile {
  /** The descriptor to write by, and to read by what was written. */
  readonly file: number;
  readonly #path: string;
  #isOpen = true;

  constructor(path: string) {
    this.#path = path;
    this.file = openSync(`${path}.tmp`, 'w+');
  }

  finish(): void {
    fsyncSync(this.file);
    this.#close();
    renameSync(`${this.#path}.tmp`, this.#path);
    syncFolder(dirname(resolve(this.#path)));
  }

  /** Leaves nothing of it. */
  discard(): void {
    this.#close();
    rmSync(`${this.#path}.tmp`, { force: true });
  }

  #close(): void {
    if (this.#isOpen) closeSync(this.file);
    this.#isOpen = false;
  }
}

/** Writes a file that stands whole or not at all. @throws Error of the file system where it can't be written. */
export function writeWhole(path: string, text: string): void {
  const whole = new WholeFile(path);
  try {
    writeFileSync(whole.file, text);
    whole.finish();
  } catch (error) {
    whole.discard();
    throw error;
  }
}
