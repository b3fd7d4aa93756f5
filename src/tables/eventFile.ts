import { closeSync, openSync, writeSync } from 'node:fs';

/** A scalar of an event. */
export interface Scalar {
  readonly tag: string;
  readonly value: number;
}

/** CRC-32C (Castagnoli), as records have it. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc >>> 0;
});

/** The checksum as records have it, masked: that of bytes which hold a checksum themselves would say little. */
export function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff]!;
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/**
 * A file of TensorFlow's events, as TensorBoard reads them while they come: records of a length and bytes, each with a
 * checksum, whose bytes are an `Event` in the wire format of protocol buffers. Each record is written whole, at once.
 */
export class EventFile {
  readonly #file: number;

  /** @throws Error of the file system, also where the file is there already. */
  constructor(path: string) {
    this.#file = openSync(path, 'wx');
    this.#write(Buffer.concat([time(), text(3, 'brain.Event:2')]));
  }

  append(step: number, scalars: readonly Scalar[]): void {
    const values = scalars.map(({ tag, value }) => message(1, Buffer.concat([text(1, tag), float(2, value)])));
    this.#write(Buffer.concat([time(), integer(2, step), message(5, Buffer.concat(values))]));
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(event: Buffer): void {
    const record = Buffer.alloc(12 + event.length + 4);
    record.writeBigUInt64LE(BigInt(event.length));
    record.writeUInt32LE(maskedCrc(record.subarray(0, 8)), 8);
    event.copy(record, 12);
    record.writeUInt32LE(maskedCrc(event), 12 + event.length);
    for (let at = 0; at < record.length; ) at += writeSync(this.#file, record, at);
  }
}

const [VARINT, FIXED64, LENGTH, FIXED32] = [0, 1, 2, 5];

const key = (field: number, type: number) => Buffer.from([(field << 3) | type]);

/** A whole number in groups of seven bits, the lowest first. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}

const integer = (field: number, value: number) => Buffer.concat([key(field, VARINT!), varint(value)]);

const message = (field: number, bytes: Buffer) => Buffer.concat([key(field, LENGTH!), varint(bytes.length), bytes]);

const text = (field: number, value: string) => message(field, Buffer.from(value));

function float(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([key(field, FIXED32!), bytes]);
}

/** Now, in seconds. */
function time(): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(Date.now() / 1000);
  return Buffer.concat([key(1, FIXED64!), bytes]);
}
