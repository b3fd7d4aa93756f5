import { readSync } from 'node:fs';

/** Fills `bytes` from a place in a file, and says how many there were: fewer where the file ends before. */
export function readFrom(file: number, start: number, bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length) {
    const count = readSync(file, bytes, at, bytes.length - at, start + at);
    if (count === 0) break;
    at += count;
  }
  return at;
}
