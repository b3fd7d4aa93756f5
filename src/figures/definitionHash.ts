import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { VERSIONS } from '../files/versions.ts';

const RELATIVE = /(?:\bfrom|\bimport)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g;

/** What else than its files a figure is made by. */
export interface MadeWith {
  readonly preset: unknown;
  readonly seeds: number;
  /** The absolute path of the data that was named; null: none was. */
  readonly data: string | null;
}

/**
 * SHA-256 of what a figure is made by: its file, the files beside it that it imports, the preset, the number of seeds,
 * the data that was named, and brink's version.
 */
export function definitionHash(file: string, { preset, seeds, data }: MadeWith): string {
  const about = { preset, seeds, brink: VERSIONS.brink, ...(data !== null && { data }) };
  const hash = createHash('sha256').update(JSON.stringify(about));
  const files = [resolve(file)];
  for (const path of files) {
    const text = readFileSync(path, 'utf8');
    hash.update(`\n${files.indexOf(path)}\n${text}`);
    for (const [, target] of text.matchAll(RELATIVE)) {
      const next = resolve(dirname(path), target!);
      // One that is not there is named in a comment or a text: what is imported has been found before.
      if (!files.includes(next) && existsSync(next)) files.push(next);
    }
  }
  return hash.digest('hex');
}
