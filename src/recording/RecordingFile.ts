import { closeSync, fsyncSync, ftruncateSync, mkdirSync, openSync, statfsSync, writevSync } from 'node:fs';
import { dirname } from 'node:path';
import { RecordBatchStreamWriter } from 'apache-arrow';
import { BrinkError } from '../core/errors.ts';
import { PieceQueue } from '../files/PieceQueue.ts';
import { syncFolder } from '../files/syncFolder.ts';
import { END_OF_STREAM } from '../tables/TableLog.ts';
import { type RecordingHeader, toKeyValues } from './RecordingHeader.ts';
import { type RecordedStep, type StepEncoder, type StepShape, stepEncoder } from './recordingColumns.ts';

/** The disk is asked to hold on to what it has this often, in milliseconds. */
const SYNC_AGE = 3000;

const WHO = 'record';

/** How much is about to be written. */
export interface Estimate {
  readonly bytes: number;
  readonly steps: number;
}

/** Who is told of it, if anyone. */
export type EstimateListener = ((estimate: Estimate) => void) | undefined;

/** What a recording begins with: nothing, or the whole part of one that is there. */
export interface RecordingStart {
  readonly path: string;
  readonly header: RecordingHeader;
  readonly shape: StepShape;
  /** Bytes and steps that are kept; what lies behind them is cut off. Null: a new file. */
  readonly kept: { readonly bytes: number; readonly steps: number } | null;
  /** Told what is about to be written, where that is known. */
  readonly onEstimate: EstimateListener;
}

/**
 * The file of a recording while it is written: an Arrow stream, one step a batch.
 *
 * A step is in the hands of the operating system when `append` returns: it survives the process, and a few seconds later the machine.
 */
export class RecordingFile {
  readonly #path: string;
  readonly #encoder: StepEncoder;
  readonly #queue = new PieceQueue();
  readonly #writer = new RecordBatchStreamWriter();
  readonly #isNew: boolean;
  readonly #onEstimate: RecordingStart['onEstimate'];
  /** What a new file begins with, until it is written together with the first step. */
  #preamble: Uint8Array[];
  #file: number | null = null;
  #size: number;
  #steps: number;
  #synced = Date.now();

  constructor({ path, header, shape, kept, onEstimate }: RecordingStart) {
    this.#path = path;
    this.#encoder = stepEncoder(shape, toKeyValues(header));
    this.#writer.reset(this.#queue, this.#encoder.schema);
    this.#isNew = kept === null;
    this.#onEstimate = onEstimate;
    const preamble = this.#queue.take();
    this.#preamble = kept ? [] : preamble;
    this.#size = kept?.bytes ?? 0;
    this.#steps = kept?.steps ?? 0;
  }

  /**
   * Writes a step.
   *
   * @param expected How many steps are to come, this one included; null: unknown.
   * @throws BrinkError where the disk has no room for them (asked at the first), or refuses.
   */
  append(step: RecordedStep, expected: number | null): void {
    this.#writer.write(this.#encoder.encode(step));
    const message = this.#queue.take();
    if (this.#file === null) {
      mkdirSync(dirname(this.#path), { recursive: true });
      if (expected !== null) {
        this.#prepare(sizeOf(this.#preamble) + expected * sizeOf(message) + END_OF_STREAM.length, expected);
      }
      this.#file = this.#open();
      message.unshift(...this.#preamble);
      this.#preamble = [];
    }
    this.#write(this.#file, message);
    this.#steps++;
    if (Date.now() - this.#synced >= SYNC_AGE) this.#sync(this.#file);
  }

  /** Ends the stream; nothing where no step came, or a write failed before. @throws BrinkError where the disk refuses. */
  finish(): void {
    const file = this.#file;
    if (file === null) return;
    this.#write(file, [END_OF_STREAM]);
    this.#sync(file);
    this.#file = null;
    closeSync(file);
    syncFolder(dirname(this.#path));
  }

  #open(): number {
    try {
      const file = openSync(this.#path, this.#isNew ? 'wx' : 'r+');
      if (this.#isNew) syncFolder(dirname(this.#path));
      else ftruncateSync(file, this.#size);
      return file;
    } catch (cause) {
      const isTaken = (cause as NodeJS.ErrnoException).code === 'EEXIST';
      throw new BrinkError(
        WHO,
        `${this.#path} cannot be opened: ${(cause as Error).message}. ${isTaken ? 'Another sink began it meanwhile; give each a name of its own.' : 'Name a place that can be written.'}`,
        { cause },
      );
    }
  }

  /** Tells what is about to be written. @throws BrinkError where the disk has no room for it. */
  #prepare(bytes: number, steps: number): void {
    this.#onEstimate?.({ bytes, steps });
    const { bavail, bsize } = statfsSync(dirname(this.#path));
    if (bytes <= bavail * bsize) return;
    throw new BrinkError(
      WHO,
      `${steps} steps need ${formatBytes(bytes)}, and the disk of ${dirname(this.#path)} has ${formatBytes(bavail * bsize)} free. Nothing was written; make room, or record fewer steps (every, from, to).`,
    );
  }

  /** Hands a message to the operating system; cuts off what a failed write left, so that the file stays whole before it. */
  #write(file: number, message: readonly Uint8Array[]): void {
    try {
      let pieces = message;
      for (let at = this.#size; pieces.length > 0; ) {
        const count = writevSync(file, pieces, at);
        at += count;
        pieces = behind(pieces, count);
      }
      this.#size += sizeOf(message);
    } catch (cause) {
      this.#fail(file, cause);
    }
  }

  #sync(file: number): void {
    try {
      fsyncSync(file);
      this.#synced = Date.now();
    } catch (cause) {
      this.#fail(file, cause);
    }
  }

  #fail(file: number, cause: unknown): never {
    this.#file = null;
    try {
      ftruncateSync(file, this.#size);
    } catch {
      // The torn end stays; a replay stops before it, and who appends cuts it off.
    }
    closeSync(file);
    throw new BrinkError(
      WHO,
      `${this.#path} cannot be written: ${(cause as Error).message}. The ${this.#steps} steps before are kept, later ones are not recorded; make room, then resume from it.`,
      { cause },
    );
  }
}

function sizeOf(pieces: readonly Uint8Array[]): number {
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

/** '2.1 MB'. */
function formatBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
