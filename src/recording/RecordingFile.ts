import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { BrinkError } from '../core/errors.ts';
import { ArrowFile, END_OF_STREAM, sizeOf } from '../files/ArrowFile.ts';
import { type ArrowMessages, arrowMessages } from '../files/arrowMessages.ts';
import { makeFolders } from '../files/makeFolders.ts';
import { sayingWhy } from '../files/sayingWhy.ts';
import { stepKeyValues } from './openRecording.ts';
import { toKeyValues, type VersionedHeader } from './RecordingHeader.ts';
import { type RecordedStep, type StepEncoder, type StepShape, stepEncoder } from './recordingColumns.ts';

const WHO = 'record';

const inHand = new Set<string>();

/** Whether this process is writing a recording. */
export const isInHand = (path: string): boolean => inHand.has(path);

/** How much is about to be written. */
export interface Estimate {
  readonly bytes: number;
  readonly steps: number;
}

/** Who is told of it, if anyone. */
export type EstimateListener = ((estimate: Estimate) => void) | undefined;

/** What a recording begins with: nothing, or the whole part of one that is there. */
export interface RecordingStart extends VersionedHeader {
  readonly path: string;
  readonly shape: StepShape;
  /** Bytes and steps that are kept; what lies behind them is cut off. Null: a new file. */
  readonly kept: { readonly bytes: number; readonly steps: number } | null;
  /** Told what is about to be written, where that is known. */
  readonly onEstimate: EstimateListener;
}

/**
 * The file of a recording while it is written: an Arrow stream, one step a batch.
 *
 * A step is in the hands of the operating system when `append` returns: it survives the process, and a few seconds
 * later the machine.
 */
export class RecordingFile {
  readonly #path: string;
  readonly #encoder: StepEncoder;
  readonly #messages: ArrowMessages;
  readonly #kept: RecordingStart['kept'];
  readonly #onEstimate: RecordingStart['onEstimate'];
  /** From the first step to the end, or to a write that failed. */
  #file: ArrowFile | null = null;
  #steps: number;

  constructor({ path, version, header, shape, kept, onEstimate }: RecordingStart) {
    this.#path = path;
    this.#encoder = stepEncoder(shape, toKeyValues({ version, header }));
    this.#messages = arrowMessages(this.#encoder.schema, version !== '1', kept?.steps ?? 0);
    this.#kept = kept;
    this.#onEstimate = onEstimate;
    this.#steps = kept?.steps ?? 0;
  }

  /**
   * Writes a step.
   *
   * @param expected How many steps are to come, this one included; null: unknown.
   * @throws BrinkError where the disk has no room for them (asked at the first), or refuses.
   */
  append(step: RecordedStep, expected: number | null): void {
    const message = this.#messages.batch(this.#encoder.encode(step), stepKeyValues(step.index));
    if (this.#file) this.#write(this.#file, message);
    else this.#begin(message, expected);
    this.#steps++;
  }

  /** Ends the stream, if a step came and no write failed before. @throws BrinkError where the disk refuses. */
  finish(): void {
    const file = this.#release();
    file?.end();
  }

  /** Writes the first step, in a new file behind the schema. */
  #begin(message: readonly Uint8Array[], expected: number | null): void {
    const schema = this.#kept ? [] : this.#messages.schema;
    sayingWhy(WHO, `${this.#path} cannot be opened`, 'Name a place that can be written.', () =>
      makeFolders(dirname(this.#path)),
    );
    if (expected !== null) {
      this.#prepare(sizeOf(schema) + expected * sizeOf(message) + END_OF_STREAM.length, expected);
    }
    this.#file = this.#open();
    this.#write(this.#file, [...schema, ...message]);
  }

  #write(file: ArrowFile, message: readonly Uint8Array[]): void {
    try {
      file.write(message);
    } catch (error) {
      this.#release();
      file.close();
      throw error;
    }
  }

  /** Lets go of the file: who calls this ends or closes it. */
  #release(): ArrowFile | null {
    const file = this.#file;
    this.#file = null;
    if (file) inHand.delete(this.#path);
    return file;
  }

  #open(): ArrowFile {
    try {
      const kept = this.#kept?.bytes ?? null;
      const file = new ArrowFile(this.#path, { kept, refused: (cause) => this.#refused(cause) });
      inHand.add(this.#path);
      return file;
    } catch (cause) {
      const isTaken = (cause as NodeJS.ErrnoException).code === 'EEXIST';
      const advice = isTaken
        ? 'Another sink began it meanwhile; give each a name of its own.'
        : 'Name a place that can be written.';
      throw new BrinkError(WHO, `${this.#path} cannot be opened: ${(cause as Error).message}. ${advice}`, { cause });
    }
  }

  /** Tells what is about to be written. @throws BrinkError where the disk has no room for it. */
  #prepare(bytes: number, steps: number): void {
    this.#onEstimate?.({ bytes, steps });
    requireDiskRoom(this.#path, { bytes, steps });
  }

  #refused(cause: Error): BrinkError {
    return new BrinkError(
      WHO,
      `${this.#path} cannot be written: ${cause.message}. ` +
        `The ${this.#steps} steps before are kept, later ones are not recorded; make room, then resume from it.`,
      { cause },
    );
  }
}

/** @throws BrinkError where the disk has no room for what is about to be written. */
export function requireDiskRoom(path: string, { bytes, steps }: Estimate): void {
  const { bavail, bsize } = statfsSync(dirname(path));
  if (bytes <= bavail * bsize) return;
  throw new BrinkError(
    WHO,
    `${steps} steps need ${formatBytes(bytes)}, and the disk of ${dirname(path)} has ` +
      `${formatBytes(bavail * bsize)} free. Nothing was written; make room, or record fewer steps (every, from, to).`,
  );
}

/** '2.1 MB'. */
function formatBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${(bytes / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
