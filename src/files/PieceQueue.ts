import { AsyncByteQueue } from 'apache-arrow';

/** Collects what an Arrow writer writes, in the pieces in which it comes and without a copy, until they are taken together. */
export class PieceQueue extends AsyncByteQueue {
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
