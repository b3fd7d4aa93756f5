import { AsyncByteQueue, type RecordBatch, RecordBatchStreamWriter, type Schema } from 'apache-arrow';

/** The messages of one Arrow stream, each in the pieces in which it lies in memory and without a copy. */
export interface ArrowMessages {
  /** What the stream begins with. */
  readonly schema: readonly Uint8Array[];
  batch(batch: RecordBatch): readonly Uint8Array[];
}

/** The encoder of a stream of record batches that all have this schema. */
export function arrowMessages(schema: Schema): ArrowMessages {
  const queue = new PieceQueue();
  const writer = new RecordBatchStreamWriter();
  writer.reset(queue, schema);
  return {
    schema: queue.take(),
    batch(batch) {
      writer.write(batch);
      return queue.take();
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
