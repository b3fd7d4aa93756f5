import { AsyncByteQueue, RecordBatch, RecordBatchStreamWriter, Schema } from 'apache-arrow';
import { CHECKSUM, seal, UNSET } from './checksum.ts';

/**
 * The entry among the key-values of a batch that says how many lie before it: that one is missing can't be seen by
 * sums.
 */
export const PLACE = 'brink.place';

/** As long for every batch, so that batches of one shape have one size. */
export const placeText = (place: number): string => `${place}`.padStart(10, '0');

/** The messages of one Arrow stream, each in the pieces in which it lies in memory and without a copy. */
export interface ArrowMessages {
  /** What the stream begins with. */
  readonly schema: readonly Uint8Array[];
  /** `keyValues` go into the message's own, beside its place and checksum; a stream without checksums has none. */
  batch(batch: RecordBatch, keyValues?: ReadonlyMap<string, string>): readonly Uint8Array[];
}

/**
 * The encoder of a stream of record batches that all have this schema.
 *
 * Each message, the schema's too, has in its key-values the CRC-32 of all its bytes, in whose place `UNSET` stands
 * while it is computed. Other readers pass key-values over.
 *
 * @param isChecked Whether there are checksums; false goes on with a file of old that has none.
 * @param before How many batches the file holds already.
 */
export function arrowMessages(schema: Schema, isChecked = true, before = 0): ArrowMessages {
  let place = before;
  const queue = new PieceQueue();
  const writer = new RecordBatchStreamWriter();
  writer.reset(queue, isChecked ? new Schema(schema.fields, new Map([...schema.metadata, [CHECKSUM, UNSET]])) : schema);
  const take = () => {
    const pieces = queue.take();
    if (isChecked) seal(pieces);
    return pieces;
  };
  return {
    schema: take(),
    batch(batch, keyValues = new Map()) {
      const own = new Map([...keyValues, [PLACE, placeText(place++)], [CHECKSUM, UNSET]]);
      writer.write(isChecked ? new RecordBatch(batch.schema, batch.data, own) : batch);
      return take();
    },
  };
}

/** Collects what an Arrow writer writes until it is taken. */
class PieceQueue extends AsyncByteQueue {
  #pieces: Uint8Array[] = [];

  override write(value: Uint8Array | ArrayBufferLike | ArrayBufferView | string): void {
    this.#pieces.push(
      ArrayBuffer.isView(value)
        ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
        : new Uint8Array(value as ArrayBufferLike),
    );
  }

  take(): Uint8Array[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces;
  }
}
