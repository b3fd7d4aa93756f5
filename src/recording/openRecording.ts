import { accessSync, constants, statSync } from 'node:fs';
import { BrinkError } from '../core/errors.ts';
import { type OpenArrowFile, openArrowFile } from '../files/openArrowFile.ts';
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
    const { schema, batches, end, tornBytes, read, close } = file;
    const header = fromKeyValues(who, path, schema.metadata);
    const shape = shapeOf(schema);
    if (!shape || batches.some(({ rows }) => rows !== 1)) {
      throw new BrinkError(who, `${path} has other columns than a recording. It was changed after it was written.`);
    }
    const indices = batches.map(({ start }) => readIndex(file, start));
    return { path, header, shape, indices, end, tornBytes, read: (k) => decodeStep(read(k)), close };
  });
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
  if (!isFolder()) return;
  throw new BrinkError(who, `${path} is a folder. Name the recording in it: of a run, its recording.arrows.`);
}

/** The step's index: the first number in the body of its batch. */
function readIndex({ bytes }: OpenArrowFile, start: number): number {
  const int32At = (at: number) => new DataView(bytes(at, 4).buffer).getInt32(0, true);
  return int32At(start + PREFIX + int32At(start + 4));
}
