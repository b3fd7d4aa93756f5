import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const RELATIVE = /(?:\bfrom|\bimport)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g;

/**
 * SHA-256 of what a figure is made by: its file, the files beside it that it imports, and whatever else is handed over.
 */
export function definitionHash(file: string, about: unknown): string {
  const hash = createHash('sha256').update(JSON.stringify(about));
  const files = [resolve(file)];
  for (const path of files) {
    const text = readFileSync(path, 'utf8');
    hash.update(`\n${files.indexOf(path)}\n${text}`);
    for (const [, target] of text.matchAll(RELATIVE)) {
      const next = resolve(dirname(path), target!);
      if (!files.includes(next)) files.push(next);
    }
  }
  return hash.digest('hex');
}
