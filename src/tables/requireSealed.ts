import { closeSync, fstatSync } from 'node:fs';
import { CHECKSUM, RunningChecksum, UNSET } from '../files/checksum.ts';
import { damaged } from '../files/openArrowFile.ts';
import { openToRead } from '../files/openToRead.ts';
import { readFrom } from '../files/readFrom.ts';

/** The entry among the key-values of a Parquet file which says that another holds its checksum. */
export const SEALED = 'brink.checksum';

/** The length of a Parquet file's footer and the format's mark, behind it. */
export const FOOTER_LENGTH = 8;
const MARK = 'PAR1';

/** How the checksum stands in the footer: behind the key, the mark of a text and its length, as Thrift writes them. */
const IN_THE_FOOTER = `${CHECKSUM}\x18${String.fromCharCode(UNSET.length)}`;

/** What is read at once, in bytes. */
const WINDOW = 2 ** 20;

/**
 * Throws unless a Parquet file that brink wrote is as it was written, as far as its checksum tells; a file of old has
 * none, and that of others need not have one.
 *
 * @throws BrinkError where it is no Parquet file, or a damaged one.
 */
export function requireSealed(who: string, path: string): void {
  const file = openToRead(who, path);
  try {
    const { size } = fstatSync(file);
    const fail = (why: string) => {
      throw damaged(who, path, 'the content', why);
    };
    const tail = Buffer.alloc(FOOTER_LENGTH);
    if (size < 2 * FOOTER_LENGTH || readFrom(file, size - tail.length, tail) < tail.length) fail('it is too short');
    const length = tail.readUInt32LE(0);
    const start = size - tail.length - length;
    if (tail.toString('latin1', 4) !== MARK || start < MARK.length) fail('it does not end as a Parquet file does');
    const footer = Buffer.alloc(length);
    readFrom(file, start, footer);
    const at = footer.lastIndexOf(Buffer.from(IN_THE_FOOTER, 'latin1'));
    if (at < 0) {
      if (footer.includes(SEALED)) fail('it has lost its checksum');
      return;
    }
    const place = start + at + IN_THE_FOOTER.length;
    const wanted = Buffer.alloc(UNSET.length);
    readFrom(file, place, wanted);
    const sum = new RunningChecksum();
    const window = Buffer.alloc(WINDOW);
    for (let from = 0; from < size; from += WINDOW) {
      const count = readFrom(file, from, window);
      for (let k = 0; k < UNSET.length; k++) {
        const offset = place + k - from;
        if (offset >= 0 && offset < count) window[offset] = UNSET.charCodeAt(k);
      }
      sum.add(window.subarray(0, count));
    }
    if (sum.text !== wanted.toString('latin1')) fail('its bytes are not those that were written (CRC-32)');
  } finally {
    closeSync(file);
  }
}
