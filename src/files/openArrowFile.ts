import { closeSync, openSync } from 'node:fs';
import { type RecordBatch, RecordBatchReader, type Schema } from 'apache-arrow';
import { BrinkError } from '../core/errors.ts';
import { readFrom } from './readFrom.ts';
import { type BatchPlace, scanStream } from './scanStream.ts';

/** An Arrow stream on disk, ended or not, as far as it is whole: a batch is read where it lies. */
export interface OpenArrowFile {
  readonly schema: Schema;
  readonly batches: readonly BatchPlace[];
  /** Where the last whole message ends. */
  readonly end: number;
  /** Bytes behind it that belong to a message that was not written to its end; 0 where the stream is ended. */
  readonly tornBytes: number;
  /** The k-th batch. @throws BrinkError where the file was cut since it was opened. */
  read(k: number): RecordBatch;
  /** So many bytes from a place in the file. @throws BrinkError as `read`. */
  bytes(start: number, count: number): Uint8Array;
  close(): void;
}

/**
 * Opens an Arrow stream and gives it to `describe`, whose answer it returns; whoever has that closes the file. Where
 * `describe` throws it is closed.
 *
 * Reads the messages' headers, about 0.1 ms each, and no batch.
 *
 * @param unbegun What is said of a file without a whole schema.
 * @throws BrinkError for such a file, Error of the file system where it cannot be read.
 */
export function openArrowFile<T>(who: string, path: string, unbegun: string, describe: (file: OpenArrowFile) => T): T {
  const file = openSync(path, 'r');
  try {
    const { schemaEnd, batches, end, isEnded, size } = scanStream(file);
    if (schemaEnd === 0) throw new BrinkError(who, `${path} ${unbegun}`);
    const fill = (start: number, bytes: Uint8Array) => {
      const count = readFrom(file, start, bytes);
      if (count === bytes.length) return bytes;
      throw new BrinkError(
        who,
        `${path} ends at byte ${start + count}, within a batch. It was cut while it was read; open it again.`,
      );
    };
    const schemaBytes = fill(0, new Uint8Array(schemaEnd));
    return describe({
      schema: decode(schemaBytes).schema,
      batches,
      end,
      tornBytes: isEnded ? 0 : size - end,
      read(k) {
        const { start, end } = batches[k]!;
        const bytes = new Uint8Array(schemaEnd + end - start);
        bytes.set(schemaBytes);
        fill(start, bytes.subarray(schemaEnd));
        const [batch] = decode(bytes);
        return batch!;
      },
      bytes: (start, count) => fill(start, new Uint8Array(count)),
      close: () => closeSync(file),
    });
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

const decode = (bytes: Uint8Array) => RecordBatchReader.from(bytes).open();
