import { resolve } from 'node:path';
import { BrinkError } from '../core/errors.ts';

/**
 * The absolute path of a folder that somebody has named.
 *
 * @throws BrinkError for an empty name, which would mean the folder in which the program runs.
 */
export function namedFolder(who: string, folder: string): string {
  if (typeof folder === 'string' && folder !== '') return resolve(folder);
  const given = typeof folder === 'string' ? "''" : String(folder);
  throw new BrinkError(who, `the folder is ${given}. A run has one of its own; name it.`);
}
