import { createHash } from 'node:crypto';
import { hashSources } from '../files/hashSources.ts';
import { VERSIONS } from '../files/versions.ts';

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
  hashSources(hash, file);
  return hash.digest('hex');
}
