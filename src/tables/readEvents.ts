import { readFileSync } from 'node:fs';
import { damaged } from '../files/openArrowFile.ts';
import { maskedCrc } from './eventFile.ts';

/** What a record of `EventFile` holds, without its numbers. */
export interface FoundEvent {
  readonly step: number;
  readonly tags: readonly string[];
}

/**
 * The events that `EventFile` wrote, in their order. A last record that a kill has torn is none.
 *
 * @throws BrinkError at a record that is not as it was written.
 */
export function* readEvents(who: string, path: string): Generator<FoundEvent> {
  const bytes = readFileSync(path);
  for (let at = 0; at + 12 <= bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    const end = at + 12 + length;
    if (maskedCrc(bytes.subarray(at, at + 8)) !== bytes.readUInt32LE(at + 8)) throw notWritten(who, path, at);
    if (end + 4 > bytes.length) return;
    const event = bytes.subarray(at + 12, end);
    if (maskedCrc(event) !== bytes.readUInt32LE(end)) throw notWritten(who, path, at);
    at = end + 4;
    const [step = 0] = fieldsOf(event, 2) as number[];
    const values = (fieldsOf(event, 5) as Buffer[]).flatMap((summary) => fieldsOf(summary, 1) as Buffer[]);
    if (values.length > 0) yield { step, tags: values.flatMap((value) => fieldsOf(value, 1).map(String)) };
  }
}

const notWritten = (who: string, path: string, at: number) =>
  damaged(who, path, `the record at byte ${at}`, 'its bytes are not those that were written (CRC-32C)');

/** What one field of a message holds, as often as it is there: numbers, or bytes. */
function fieldsOf(bytes: Buffer, wanted: number): (number | Buffer)[] {
  let at = 0;
  const varint = () => {
    let [value, scale] = [0, 1];
    for (; ; scale *= 0x80) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number) => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  const found: (number | Buffer)[] = [];
  while (at < bytes.length) {
    const key = varint();
    const kind = key & 7;
    // Of 8 bytes, with a length, of 4 bytes.
    const value = kind === 0 ? varint() : take(kind === 1 ? 8 : kind === 2 ? varint() : 4);
    if (key >> 3 === wanted) found.push(value);
  }
  return found;
}
