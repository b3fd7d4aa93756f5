import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { BrinkError } from '../../core/errors.ts';
import { requireList } from '../../core/given.ts';
import { sha256 } from '../sha256.ts';

/** A file that was read whole. */
export interface Source {
  readonly path: string;
  readonly bytes: Buffer;
  readonly file: string;
  readonly sha256: string;
}

/**
 * Reads a file.
 *
 * @param expected Checksums, of which it must have one; default: any will do.
 * @throws BrinkError where it can't be read, or has another checksum.
 */
export async function openSource(who: string, path: string, expected?: readonly string[]): Promise<Source> {
  if (expected !== undefined) requireList(who, 'sha256', expected);
  const bytes = await readFile(path).catch((cause) => {
    throw new BrinkError(who, `${path} can't be read (${cause.code}). Look at the path.`, { cause });
  });
  const file = basename(path);
  const found = sha256(bytes);
  if (expected !== undefined && !expected.includes(found)) {
    throw new BrinkError(
      who,
      `${path} is another file than is meant: its SHA-256 is ${found}, and should be ` +
        `${expected.join(' or ')}. It was changed, or another one has its name; name the one that was used.`,
    );
  }
  return { path, bytes, file, sha256: found };
}
