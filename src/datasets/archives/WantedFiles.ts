import { createHash, type Hash } from 'node:crypto';
import { closeSync, createReadStream, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Parser, ReadEntry } from 'tar';
import { BrinkError } from '../../core/errors.ts';
import type { Archive } from './archives.ts';

const WHO = 'data';

/** That what came is not the archive that was meant. */
export class AnotherFile extends BrinkError {}

/**
 * Takes the files that are read out of an archive while it comes, each compared with its checksum: once all are there,
 * the rest of the archive need not come.
 */
export class WantedFiles {
  /** Where they lie until all are there. */
  readonly folder: string;
  readonly #archive: Archive;
  readonly #parser: Parser;
  readonly #left: Set<string>;
  readonly #open = new Set<number>();
  #failure: Error | null = null;

  static async begin(archive: Archive, folder: string): Promise<WantedFiles> {
    const { Parser } = await import('tar');
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    return new WantedFiles(archive, folder, (onReadEntry) => new Parser({ strict: true, onReadEntry }));
  }

  private constructor(archive: Archive, folder: string, parse: (onEntry: (entry: ReadEntry) => void) => Parser) {
    this.#archive = archive;
    this.folder = folder;
    this.#left = new Set(Object.keys(archive.files));
    this.#parser = parse((entry) => this.#take(entry));
    this.#parser.on('error', (cause) => {
      this.#failure ??= new AnotherFile(
        WHO,
        `what was downloaded is not ${archive.name}: ${cause.message}. It was damaged on its way or is another file; ` +
          'nothing of it is kept.',
        { cause },
      );
    });
  }

  /** Whether all are there. */
  get areThere(): boolean {
    return this.#left.size === 0;
  }

  /** Takes the next bytes of the archive. @throws BrinkError where they are no archive, or a file is another. */
  async add(bytes: Uint8Array): Promise<void> {
    const goesOn = this.#parser.write(bytes);
    if (this.#failure) throw this.#failure;
    if (!goesOn && !this.areThere) await new Promise<void>((resolve) => this.#parser.once('drain', resolve));
    if (this.#failure) throw this.#failure;
  }

  /** Takes the beginning of the archive from a file. */
  async addFile(path: string, length: number): Promise<void> {
    if (length === 0) return;
    for await (const chunk of createReadStream(path, { end: length - 1, highWaterMark: 2 ** 20 })) {
      await this.add(chunk as Uint8Array);
      if (this.areThere) return;
    }
  }

  /** @throws BrinkError where the archive has ended, and one of them was not in it. */
  requireAll(): void {
    if (this.areThere) return;
    throw new AnotherFile(
      WHO,
      `what was downloaded is not ${this.#archive.name}: it has no ${[...this.#left].join(', ')}. It is another file.`,
    );
  }

  /** Leaves nothing of them. */
  discard(): void {
    for (const file of this.#open) closeSync(file);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #take(entry: ReadEntry): void {
    const name = basename(entry.path);
    const expected = this.#archive.files[name];
    if (!this.#left.has(name) || expected === undefined || entry.path !== `${this.#archive.folder}/${name}`) {
      entry.resume();
      return;
    }
    const [kind, sum] =
      'sha256' in expected ? (['sha256', expected.sha256] as const) : (['md5', expected.md5] as const);
    const hash: Hash = createHash(kind);
    const file = openSync(join(this.folder, name), 'w');
    this.#open.add(file);
    entry.on('data', (bytes) => {
      if (this.#failure) return;
      try {
        for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
        hash.update(bytes);
      } catch (cause) {
        const why = `${join(this.folder, name)} can't be written: ${(cause as Error).message}. Make room`;
        this.#failure = new BrinkError(WHO, `${why}; the same command goes on.`, { cause });
      }
    });
    entry.on('end', () => {
      closeSync(file);
      this.#open.delete(file);
      const found = hash.digest('hex');
      if (found === sum) this.#left.delete(name);
      else {
        this.#failure ??= new AnotherFile(
          WHO,
          `what was downloaded is not ${this.#archive.name}: the checksum of ${name} is ${found}, and should be ${sum}. ` +
            'It was damaged on its way or is another file; nothing of it is kept.',
        );
      }
    });
  }
}
