/** Bytes of a file: from the first to the last, which is of them. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * What a Range header asks for of so many bytes: null for all, `none` where there is nothing of it.
 *
 * One range in bytes is understood; any other header is passed over, as HTTP lets a server do.
 */
export function byteRange(header: string | undefined, size: number): ByteRange | null | 'none' {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return null;
  if (match[1] === '') {
    const count = Math.min(Number(match[2]), size);
    return count === 0 ? 'none' : { first: size - count, last: size - 1 };
  }
  const first = Number(match[1]);
  const last = Math.min(match[2] === '' ? size - 1 : Number(match[2]), size - 1);
  return first > last ? 'none' : { first, last };
}
