import { closeSync, fsyncSync, ftruncateSync, openSync, writevSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from './syncFolder.ts';

/** What ends an Arrow stream. */
export const END_OF_STREAM = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0);

/** The disk is asked to hold on to what it has this often, in milliseconds. */
const SYNC_AGE = 3000;

interface ArrowFileOptions {
  /** Bytes of the whole messages that a file begins with; what lies behind them is cut off. Null: a new file. */
  readonly kept: number | null;
  /** The error that is thrown where the disk refuses to take a message, or to hold on to it. */
  readonly refused: (cause: Error) => Error;
}

/**
 * An Arrow stream on disk while it is written: nothing but whole messages.
 *
 * A message is in the hands of the operating system when `write` returns: it survives the process, and a few seconds
 * later the machine. What is left of one that the disk refused is cut off, so that the file stays whole before it.
 */
export class ArrowFile {
  readonly #file: number;
  readonly #refused: ArrowFileOptions['refused'];
  /** Bytes of whole messages. */
  #size: number;
  #synced = Date.now();

  /** @throws Error of the file system where it cannot be opened; EEXIST where a new one is there already. */
  constructor(path: string, { kept, refused }: ArrowFileOptions) {
    this.#refused = refused;
    this.#size = kept ?? 0;
    this.#file = openSync(path, kept === null ? 'wx' : 'r+');
    try {
      if (kept === null) syncFolder(dirname(path));
      else ftruncateSync(this.#file, kept);
    } catch (error) {
      closeSync(this.#file);
      throw error;
    }
  }

  /** Hands a message, in pieces, to the operating system. */
  write(message: readonly Uint8Array[]): void {
    this.#write(message, Date.now() - this.#synced >= SYNC_AGE);
  }

  /** Ends the stream, waits until the disk has all of it, and closes the file. */
  end(): void {
    try {
      this.#write([END_OF_STREAM], true);
    } finally {
      this.close();
    }
  }

  /** Closes the file as it is. */
  close(): void {
    closeSync(this.#file);
  }

  #write(message: readonly Uint8Array[], isSynced: boolean): void {
    try {
      let pieces = message;
      for (let at = this.#size; pieces.length > 0; ) {
        const count = writevSync(this.#file, pieces, at);
        at += count;
        pieces = behind(pieces, count);
      }
      if (isSynced) {
        fsyncSync(this.#file);
        this.#synced = Date.now();
      }
      this.#size += sizeOf(message);
    } catch (cause) {
      this.#cutOff();
      throw this.#refused(cause as Error);
    }
  }

  #cutOff(): void {
    try {
      ftruncateSync(this.#file, this.#size);
    } catch {
      // The torn end stays; whoever reads the file stops before it.
    }
  }
}

/** Bytes of some pieces together. */
export function sizeOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

/** What is left of some pieces when `count` bytes of them are written. */
function behind(pieces: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let left = count;
  const k = pieces.findIndex((piece) => {
    if (piece.length > left) return true;
    left -= piece.length;
    return false;
  });
  return k < 0 ? [] : [pieces[k]!.subarray(left), ...pieces.slice(k + 1)];
}
