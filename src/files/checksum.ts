import { crc32 } from 'node:zlib';

/** The entry among the key-values of a message or a file that holds its checksum. */
export const CHECKSUM = 'brink.crc32';

/** What stands in its place while the checksum is computed: eight characters that no text has. */
export const UNSET = '\x01'.repeat(8);
const UNSET_BYTES = Buffer.from(UNSET, 'latin1');

const hexOf = (crc: number) => crc.toString(16).padStart(UNSET.length, '0');

/** The CRC-32 of some pieces, one behind the other, as eight hexadecimal digits. */
export class RunningChecksum {
  #crc = 0;

  add(bytes: Uint8Array): void {
    this.#crc = crc32(bytes, this.#crc);
  }

  get text(): string {
    return hexOf(this.#crc);
  }
}

/** Puts the checksum of some pieces, with `UNSET` in its place, into that place. */
export function seal(pieces: readonly Uint8Array[]): void {
  const sum = new RunningChecksum();
  for (const piece of pieces) sum.add(piece);
  for (const piece of pieces) {
    const at = viewOf(piece).indexOf(UNSET_BYTES);
    if (at < 0) continue;
    viewOf(piece).write(sum.text, at, 'latin1');
    return;
  }
  throw new Error('the pieces have no place for a checksum');
}

/**
 * Whether bytes are those that were sealed with a checksum.
 *
 * @param before What stands in front of the checksum, and after it.
 * @param searched Bytes at the beginning in which it stands.
 */
export function isSealed(
  bytes: Uint8Array,
  sum: string,
  [before, after]: readonly [string, string],
  searched = bytes.length,
): boolean {
  const mark = Buffer.from(before + sum + after, 'latin1');
  const head = viewOf(bytes.subarray(0, searched));
  for (let at = head.indexOf(mark); at >= 0; at = head.indexOf(mark, at + 1)) {
    const place = at + before.length;
    const found = new RunningChecksum();
    for (const piece of [bytes.subarray(0, place), UNSET_BYTES, bytes.subarray(place + UNSET.length)]) found.add(piece);
    if (found.text === sum) return true;
  }
  return false;
}

/** Whether bytes that name a checksum are sealed with it, wherever it stands; true where they name none. */
export function isSealedIfAtAll(bytes: Uint8Array, [before, after]: readonly [string, string]): boolean {
  const text = viewOf(bytes).toString('latin1');
  if (!text.includes(CHECKSUM)) return true;
  const marks = new RegExp(`${before}([0-9a-f]{${UNSET.length}})${after}`, 'g');
  return [...text.matchAll(marks)].some(([, sum]) => isSealed(bytes, sum!, [before, after]));
}

const viewOf = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
