import { accessSync, closeSync, constants, openSync, statSync } from 'node:fs';
import { BrinkError } from '../core/errors.ts';
import { damaged, type OpenArrowFile, openArrowFile } from '../files/openArrowFile.ts';
import { readFrom } from '../files/readFrom.ts';
import { fromKeyValues, type VersionedHeader } from './RecordingHeader.ts';
import { decodeStep, type RecordedStep, type StepShape, shapeOf } from './recordingColumns.ts';

/** A recording on disk, finished or not, as far as it is whole: a step is read where it lies. */
export interface OpenRecording extends VersionedHeader {
  readonly path: string;
  readonly shape: StepShape;
  /** The steps that it holds, by their index t, in the order in which they lie. */
  readonly indices: readonly number[];
  /** Where the last whole step ends. */
  readonly end: number;
  /** Bytes behind it that belong to a step that was not written to its end. */
  readonly tornBytes: number;
  /** Whether the end of the stream is marked. */
  readonly isEnded: boolean;
  /** What is wrong behind the last of these steps, where that is more than a torn end; null: nothing. */
  readonly damage: BrinkError | null;
  /** Whether its steps have checksums: those of format version 1 have none. */
  readonly isChecked: boolean;
  /** Whether the k-th step is as it was written, as far as its checksum tells. */
  isSound(k: number): boolean;
  /** The k-th of the steps that it holds. @throws BrinkError where it is damaged. */
  read(k: number): RecordedStep;
  close(): void;
}

/** What precedes a message: a mark and the length of its header, 4 bytes each. */
const PREFIX = 8;

/** The entry among the key-values of a step's message that holds its index. */
const STEP = 'brink.step';

/** The key-values of a step's message: its index, as long in every message, once more. */
export const stepKeyValues = (index: number): ReadonlyMap<string, string> =>
  new Map([[STEP, `${index}`.padStart(10, '0')]]);

/** The step whose message has these key-values; null where it says none, as in format version 1. */
export function stepIn(keyValues: ReadonlyMap<string, string>): number | null {
  const text = keyValues.get(STEP);
  return text === undefined ? null : Number(text);
}

/** What is said of a file without a schema. */
const UNBEGUN =
  'holds no whole Arrow schema. It is no recording, or the process was stopped before its first step; remove the file.';

/**
 * Opens a recording; close it. Reads the messages' headers, about 0.1 ms a step, and no weights.
 *
 * @throws BrinkError where there is none, it holds no whole schema, or it is of another format.
 */
export function openRecording(who: string, path: string): OpenRecording {
  requireFile(who, path);
  return openArrowFile(who, path, UNBEGUN, (file) => {
    const { schema, batches, tornBytes, isEnded, isChecked, isSound, read, close } = file;
    const { version, header } = fromKeyValues(who, path, schema.metadata);
    const shape = shapeOf(schema);
    if (!shape || (!isChecked && batches.some(({ rows }) => rows !== 1))) {
      throw new BrinkError(who, `${path} has other columns than a recording. It was changed after it was written.`);
    }
    const indices: number[] = [];
    let why = file.damage;
    for (const { start, rows, keyValues } of batches) {
      const index = readIndex(file, start);
      // Then it is not known which step lies here.
      if (rows !== 1 || (isChecked && keyValues.get(STEP) !== stepKeyValues(index).get(STEP))) {
        why = 'its message contradicts itself';
        break;
      }
      indices.push(index);
    }
    const last = indices.at(-1);
    const what = last === undefined ? 'the first step' : `the step behind step ${last}`;
    return {
      path,
      version,
      header,
      shape,
      indices,
      damage: why === null ? null : damaged(who, path, what, why),
      isEnded,
      isChecked,
      end: batches[indices.length - 1]?.end ?? file.end,
      tornBytes,
      isSound,
      read: (k) => decodeStep(read(k, `step ${indices[k]}`)),
      close,
    };
  });
}

/**
 * Opens a recording once more, for what was made of it when it was opened before.
 *
 * @throws BrinkError as `openRecording`, and where another lies there by now.
 */
export function openSameRecording(who: string, before: OpenRecording): OpenRecording {
  const file = openRecording(who, before.path);
  const about = ({ version, shape, header: { source, run } }: OpenRecording) =>
    JSON.stringify([version, shape, source, run]);
  if (about(file) === about(before)) return file;
  file.close();
  throw new BrinkError(
    who,
    `${before.path} is of another run than when it was opened. It was replaced, or the working folder has changed; call ${who} again.`,
  );
}

function requireFile(who: string, path: string): void {
  const isFolder = () => {
    try {
      accessSync(path, constants.R_OK);
      return statSync(path).isDirectory();
    } catch (cause) {
      const why = (cause as Error).message;
      throw new BrinkError(who, `the recording ${path} cannot be opened: ${why}. Look at the path.`, { cause });
    }
  };
  if (isFolder()) {
    throw new BrinkError(who, `${path} is a folder. Name the recording in it: of a run, its recording.arrows.`);
  }
  requireNoParquet(who, path);
}

function requireNoParquet(who: string, path: string): void {
  const file = openSync(path, 'r');
  const mark = Buffer.alloc(4);
  readFrom(file, 0, mark);
  closeSync(file);
  if (mark.toString('latin1') !== 'PAR1') return;
  throw new BrinkError(who, `${path} is a Parquet file, not a recording. A table is read by readTable.`);
}

/** The step's index: the first number in the body of its batch. */
function readIndex({ bytes }: OpenArrowFile, start: number): number {
  const int32At = (at: number) => new DataView(bytes(at, 4).buffer).getInt32(0, true);
  return int32At(start + PREFIX + int32At(start + 4));
}
