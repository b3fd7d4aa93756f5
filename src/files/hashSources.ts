import type { Hash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const RELATIVE = /(?:\bfrom|\bimport)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g;

/** Adds to a hash what a module is made of: its file, and the files beside it that it imports, and so on. */
export function hashSources(hash: Hash, file: string): void {
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
}
