import { closeSync, fstatSync, openSync } from 'node:fs';
import { RecordBatchReader } from 'apache-arrow';
import { BrinkError } from '../core/errors.ts';
import { readFrom } from '../files/readFrom.ts';
import { scanStream } from '../files/scanStream.ts';
import { fromKeyValues, type RecordingHeader } from './RecordingHeader.ts';
import { decodeStep, type RecordedStep, type StepShape, shapeOf } from './recordingColumns.ts';

/** A recording on disk, finished or not, as far as it is whole: a step is read where it lies. */
export interface OpenRecording {
  readonly path: string;
  readonly header: RecordingHeader;
  readonly shape: StepShape;
  /** The steps that it holds, by their index t, in the order in which they lie. */
  readonly indices: readonly number[];
  /** Where the last whole step ends. */
  readonly end: number;
  /** Bytes behind it that belong to a step that was not written to its end. */
  readonly tornBytes: number;
  /** The k-th of the steps that it holds. */
  read(k: number): RecordedStep;
  close(): void;
}

/** What precedes a message: a mark and the length of its header, 4 bytes each. */
const PREFIX = 8;

/**
 * Opens a recording; close it. Reads the messages' headers, about 0.1 ms a step, and no weights.
 *
 * @throws BrinkError where there is none, it holds no whole schema, or it is of another format.
 */
export function openRecording(who: string, path: string): OpenRecording {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (cause) {
    throw new BrinkError(
      who,
      `the recording ${path} cannot be opened: ${(cause as Error).message}. Look at the path.`,
      {
        cause,
      },
    );
  }
  try {
    if (fstatSync(file).isDirectory()) {
      throw new BrinkError(who, `${path} is a folder. Name the recording in it: of a run, its recording.arrows.`);
    }
    const { schemaEnd, batches, end, isEnded, size } = scanStream(file);
    if (schemaEnd === 0) {
      throw new BrinkError(
        who,
        `${path} holds no whole Arrow schema. It is no recording, or the process was stopped before its first step; remove the file.`,
      );
    }
    const read = (start: number, bytes: Uint8Array) => readBytes(who, file, start, bytes);
    const schemaBytes = read(0, new Uint8Array(schemaEnd));
    const { schema } = RecordBatchReader.from(schemaBytes).open();
    const header = fromKeyValues(who, path, schema.metadata);
    const shape = shapeOf(schema);
    if (!shape || batches.some(({ rows }) => rows !== 1)) {
      throw new BrinkError(who, `${path} has other columns than a recording. It was changed after it was written.`);
    }
    return {
      path,
      header,
      shape,
      indices: batches.map(({ start }) => readIndex(read, start)),
      end,
      tornBytes: isEnded ? 0 : size - end,
      read: (k) => {
        const { start, end } = batches[k]!;
        const bytes = new Uint8Array(schemaEnd + end - start);
        bytes.set(schemaBytes);
        read(start, bytes.subarray(schemaEnd));
        const [batch] = RecordBatchReader.from(bytes).open();
        return decodeStep(batch!);
      },
      close: () => closeSync(file),
    };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** The step's index: the first number in the body of its batch. */
function readIndex(read: (start: number, bytes: Uint8Array) => Uint8Array, start: number): number {
  const int32At = (at: number) => new DataView(read(at, new Uint8Array(4)).buffer).getInt32(0, true);
  return int32At(start + PREFIX + int32At(start + 4));
}

function readBytes(who: string, file: number, start: number, bytes: Uint8Array): Uint8Array {
  const count = readFrom(file, start, bytes);
  if (count < bytes.length) {
    throw new BrinkError(
      who,
      `the recording ends at byte ${start + count}, within a step. It was cut while it was read; open it again.`,
    );
  }
  return bytes;
}
