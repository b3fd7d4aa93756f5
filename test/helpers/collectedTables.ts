import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The tables of a sweep's cells that were collected, byte by byte. */
export function collectedTables(directory: string): Record<string, string> {
  const tables = join(directory, 'tables');
  const files = readdirSync(tables, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.parquet'));
  return Object.fromEntries(files.sort().map((file) => [file, readFileSync(join(tables, file), 'base64')]));
}
