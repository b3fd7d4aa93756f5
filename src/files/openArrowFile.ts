import { closeSync } from 'node:fs';
import { type RecordBatch, RecordBatchReader, type Schema } from 'apache-arrow';
import { BrinkError } from '../core/errors.ts';
import { PLACE, placeText } from './arrowMessages.ts';
import { CHECKSUM, isSealed, isSealedIfAtAll } from './checksum.ts';
import { openToRead } from './openToRead.ts';
import { readFrom } from './readFrom.ts';
import { type BatchPlace, type MessagePlace, scanStream } from './scanStream.ts';

/** An Arrow stream on disk, ended or not, as far as it is whole: a batch is read where it lies. */
export interface OpenArrowFile {
  readonly schema: Schema;
  readonly batches: readonly BatchPlace[];
  /** Where the last whole message ends. */
  readonly end: number;
  /** Bytes behind it that belong to messages that were not written to their end; 0 where the stream is ended. */
  readonly tornBytes: number;
  /** Whether the end of the stream is marked. */
  readonly isEnded: boolean;
  /** Whether its messages have checksums: files of old have none. */
  readonly isChecked: boolean;
  /** What is wrong behind the last batch, where that is more than a torn end; null: nothing. */
  readonly damage: string | null;
  /** Whether the bytes of the k-th batch are those that were written, as far as its checksum tells. */
  isSound(k: number): boolean;
  /**
   * The k-th batch.
   *
   * @param what Its name in an error.
   * @throws BrinkError where it is damaged, or the file was cut since it was opened.
   */
  read(k: number, what?: string): RecordBatch;
  /** So many bytes from a place in the file. @throws BrinkError where the file was cut since it was opened. */
  bytes(start: number, count: number): Uint8Array;
  close(): void;
}

/** How a checksum stands in a message: behind the length of its text, and before the zero that ends it. */
const IN_A_MESSAGE = ['\x08\0\0\0', '\0'] as const;

/**
 * Opens an Arrow stream and gives it to `describe`, whose answer it returns; whoever has that closes the file. Where
 * `describe` throws it is closed.
 *
 * Reads the messages' headers, about 0.1 ms each, and no batch, but of a stream that is not ended the last: what a
 * power cut left of it, whole in length and not in content, counts as torn.
 *
 * @param unbegun What is said of a file without a whole schema.
 * @throws BrinkError for such a file or a damaged schema, and where it cannot be read.
 */
export function openArrowFile<T>(who: string, path: string, unbegun: string, describe: (file: OpenArrowFile) => T): T {
  const file = openToRead(who, path);
  try {
    const { schema, batches: found, isEnded, isBroken: isUnread, size } = scanStream(file);
    // Files of old don't say where a batch belongs.
    const moved = found.findIndex(({ keyValues }, k) => (keyValues.get(PLACE) ?? placeText(k)) !== placeText(k));
    const isBroken = isUnread || moved >= 0;
    if (schema === null) {
      if (isBroken) throw damaged(who, path, 'the schema', 'it cannot be read, and there is more behind it');
      throw new BrinkError(who, `${path} ${unbegun}`);
    }
    const fill = (start: number, bytes: Uint8Array) => {
      const count = readFrom(file, start, bytes);
      if (count === bytes.length) return bytes;
      throw new BrinkError(
        who,
        `${path} ends at byte ${start + count}, within a batch. It was cut while it was read; open it again.`,
      );
    };
    const bytes = (start: number, count: number) => fill(start, new Uint8Array(count));

    const schemaBytes = bytes(0, schema.end);
    const decode = (message: Uint8Array, what: string) => {
      try {
        return RecordBatchReader.from(message).open();
      } catch (cause) {
        throw damaged(who, path, what, (cause as Error).message, cause);
      }
    };
    const isWhole = ({ start, bodyStart, keyValues }: MessagePlace, message: Uint8Array) => {
      const sum = keyValues.get(CHECKSUM);
      return sum !== undefined && isSealed(message, sum, IN_A_MESSAGE, bodyStart - start);
    };
    // Before it is decoded: what the decoder does with damage is not known.
    if (!isSealedIfAtAll(schemaBytes, IN_A_MESSAGE)) throw damaged(who, path, 'the schema', CHANGED);
    const reader = decode(schemaBytes, 'the schema');
    const sum = reader.schema.metadata.get(CHECKSUM);
    const isChecked = sum !== undefined || found.some(({ keyValues }) => keyValues.has(CHECKSUM));
    if (isChecked && !isWhole({ ...schema, keyValues: reader.schema.metadata }, schemaBytes)) {
      throw damaged(who, path, 'the schema', CHANGED);
    }

    const soundAt = (place: MessagePlace) => !isChecked || isWhole(place, bytes(place.start, place.end - place.start));
    const batches = moved < 0 ? [...found] : found.slice(0, moved);
    while (!isEnded && !isBroken && batches.length > 0 && !soundAt(batches.at(-1)!)) batches.pop();
    const end = batches.at(-1)?.end ?? schema.end;
    const unread = isUnread ? `the message at byte ${end} cannot be read, and there are more behind it` : null;
    const elsewhere = `the message at byte ${end} belongs to another place: some are missing, there twice or moved`;

    return describe({
      schema: reader.schema,
      batches,
      end,
      tornBytes: isEnded || isBroken ? 0 : size - end,
      isEnded,
      isChecked,
      damage: moved < 0 ? unread : elsewhere,
      isSound: (k) => soundAt(batches[k]!),
      read(k, what = `batch ${k}`) {
        const place = batches[k]!;
        const message = new Uint8Array(schema.end + place.end - place.start);
        message.set(schemaBytes);
        fill(place.start, message.subarray(schema.end));
        if (isChecked && !isWhole(place, message.subarray(schema.end))) throw damaged(who, path, what, CHANGED);
        try {
          const [batch] = decode(message, what);
          if (batch?.numRows === place.rows) return batch;
        } catch (cause) {
          if (cause instanceof BrinkError) throw cause;
          throw damaged(who, path, what, (cause as Error).message, cause);
        }
        throw damaged(who, path, what, 'it cannot be decoded');
      },
      bytes,
      close: () => closeSync(file),
    });
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

const CHANGED = 'its bytes are not those that were written (CRC-32)';

/** What is said of damage in a file. */
export function damaged(who: string, path: string, what: string, why: string, cause?: unknown): BrinkError {
  return new BrinkError(
    who,
    `${what} of ${path} is damaged: ${why}. Take another copy of the file, or what is whole.`,
    {
      cause,
    },
  );
}
