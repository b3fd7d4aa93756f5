import { crc32, inflateRawSync } from 'node:zlib';
import { BrinkError } from '../core/errors.ts';

const [END, CENTRAL, LOCAL] = [0x06054b50, 0x02014b50, 0x04034b50];
const [END_BYTES, CENTRAL_BYTES, LOCAL_BYTES] = [22, 46, 30];
/** The comment behind the end may be so long. */
const MOST_COMMENT = 0xffff;
/** Stands where only a zip64 record says how much. */
const ELSEWHERE = 0xffffffff;

/** A file in a zip archive. */
export interface ZipEntry {
  readonly name: string;
  /** Unpacks it. @throws BrinkError where its bytes are not those that the archive's directory speaks of. */
  bytes(): Buffer;
}

/**
 * The files of a zip archive, stored or deflated, in the order of its directory.
 *
 * @throws BrinkError where it is none, is cut off, or has more than one part, encrypted files, files beyond 4 GB or two
 *   of a name.
 */
export function readZip(who: string, path: string, zip: Buffer): readonly ZipEntry[] {
  const wrong = (what: string) => new BrinkError(who, `${path} ${what}`);
  const end = endOf(zip);
  if (end < 0) throw wrong('is no zip archive, or its end is cut off.');
  const count = zip.readUInt16LE(end + 10);
  const start = zip.readUInt32LE(end + 16);
  if (start === ELSEWHERE || count === 0xffff) throw wrong('is a zip archive beyond 4 GB. Save its arrays in several.');
  if (start + zip.readUInt32LE(end + 12) > end) throw wrong('is damaged: its directory ends behind its end.');
  const entries = new Map<string, ZipEntry>();
  let at = start;
  for (let k = 0; k < count; k++) {
    if (at + CENTRAL_BYTES > end || zip.readUInt32LE(at) !== CENTRAL)
      throw wrong(`is damaged: no file ${k} in its directory.`);
    const [flags, method] = [zip.readUInt16LE(at + 8), zip.readUInt16LE(at + 10)];
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ];
    const next = at + CENTRAL_BYTES + nameLength + extra + comment;
    if (next > end) throw wrong(`is damaged: no file ${k} in its directory.`);
    const name = zip.toString('utf8', at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameLength);
    if (entries.has(name)) throw wrong(`holds ${name} twice. Save it anew.`);
    if ((flags & 1) !== 0) throw wrong(`holds ${name} encrypted. Save it without a password.`);
    if (method !== 0 && method !== 8)
      throw wrong(`holds ${name} packed by method ${method}, where stored and deflated files are read.`);
    const [sum, packed, size, local] = [16, 20, 24, 42].map((offset) => zip.readUInt32LE(at + offset)) as [
      number,
      number,
      number,
      number,
    ];
    if (packed === ELSEWHERE || size === ELSEWHERE || local === ELSEWHERE) {
      throw wrong(`holds ${name} beyond 4 GB. Save it in several.`);
    }
    entries.set(name, {
      name,
      bytes: () =>
        unpack(zip, { local, packed, size, sum, method, end: start }, (what) => wrong(`is damaged: ${name} ${what}.`)),
    });
    at = next;
  }
  return [...entries.values()];
}

/** Where the archive's last record begins; −1: nowhere. */
function endOf(zip: Buffer): number {
  for (let at = zip.length - END_BYTES; at >= Math.max(0, zip.length - END_BYTES - MOST_COMMENT); at--) {
    if (zip.readUInt32LE(at) === END && at + END_BYTES + zip.readUInt16LE(at + 20) === zip.length) return at;
  }
  return -1;
}

interface Place {
  /** Where the file's own header begins. */
  readonly local: number;
  readonly packed: number;
  readonly size: number;
  readonly sum: number;
  readonly method: number;
  /** Where the files end, and the directory begins. */
  readonly end: number;
}

function unpack(
  zip: Buffer,
  { local, packed, size, sum, method, end }: Place,
  wrong: (what: string) => BrinkError,
): Buffer {
  if (local + LOCAL_BYTES > end || zip.readUInt32LE(local) !== LOCAL) throw wrong('is not where the directory has it');
  const start = local + LOCAL_BYTES + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  if (start + packed > end) throw wrong(`ends at byte ${start + packed}, and the directory begins at ${end}`);
  const bytes = zip.subarray(start, start + packed);
  const whole = method === 0 ? bytes : inflate(bytes, size, wrong);
  if (whole.length !== size) throw wrong(`has ${whole.length} bytes, and should have ${size}`);
  if (crc32(whole) !== sum) throw wrong('does not have its checksum');
  return whole;
}

/** Stops where there is more than the directory says. */
function inflate(bytes: Buffer, size: number, wrong: (what: string) => BrinkError): Buffer {
  try {
    return inflateRawSync(bytes, { maxOutputLength: Math.max(size, 1) });
  } catch (cause) {
    throw wrong(`can't be unpacked (${(cause as Error).message})`);
  }
}
