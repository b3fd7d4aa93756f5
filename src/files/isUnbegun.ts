import { closeSync, fstatSync } from 'node:fs';
import { openToRead } from './openToRead.ts';
import { readFrom } from './readFrom.ts';

/** How an Arrow stream begins: a mark of four bytes, then the length of the schema's message. */
const MARK = Buffer.from([0xff, 0xff, 0xff, 0xff]);

/** Whether a file is the beginning of an Arrow stream, or empty, and too short for a schema: it holds no row. */
export function isUnbegun(who: string, path: string): boolean {
  const file = openToRead(who, path);
  try {
    const { size } = fstatSync(file);
    const prefix = Buffer.alloc(8);
    const count = readFrom(file, 0, prefix);
    const marked = Math.min(count, MARK.length);
    if (!prefix.subarray(0, marked).equals(MARK.subarray(0, marked))) return false;
    return count < prefix.length || size < prefix.length + prefix.readInt32LE(4);
  } finally {
    closeSync(file);
  }
}
