import { createHash } from 'node:crypto';
import { hashSources } from '../files/hashSources.ts';
import { VERSIONS } from '../files/versions.ts';

/** What else than its files a figure is made by. */
export interface MadeWith {
  readonly preset: unknown;
  readonly seeds: number;
  /** Of the data that were named, by `dataHash`; null: none were. */
  readonly dataSha256: string | null;
}

/**
 * SHA-256 of what a figure is made by: its file, the files beside it that it imports, the preset, the number of seeds,
 * the bytes of the data that were named, and brink's version.
 */
export function definitionHash(file: string, { preset, seeds, dataSha256 }: MadeWith): string {
  const about = { preset, seeds, brink: VERSIONS.brink, ...(dataSha256 !== null && { dataSha256 }) };
  const hash = createHash('sha256').update(JSON.stringify(about));
  hashSources(hash, file);
  return hash.digest('hex');
}
