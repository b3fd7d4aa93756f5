import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BrinkError } from '../core/errors.ts';
import { checksums } from '../files/checksums.ts';
import { filesBelow } from '../files/filesBelow.ts';

/**
 * SHA-256 of a file, or of the names and the bytes of the files in a folder and below it: what a figure's data were,
 * wherever they lie.
 *
 * @throws BrinkError where there is nothing at the path.
 */
export async function dataHash(who: string, path: string): Promise<string> {
  if (!existsSync(path))
    throw new BrinkError(who, `there is nothing at ${path}, where the data should be. Look at the path.`);
  if (!statSync(path).isDirectory()) return (await checksums(path)).sha256;
  const hash = createHash('sha256');
  for (const file of filesBelow(path)) hash.update(`${file}\n${(await checksums(join(path, file))).sha256}\n`);
  return hash.digest('hex');
}
