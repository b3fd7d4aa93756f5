import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BrinkError } from '../core/errors.ts';

/** The folder as an absolute path. @throws BrinkError where it holds a run that is not to be replaced. */
export function requireNoRun(who: string, folder: string, force: boolean): string {
  const directory = resolve(folder);
  if (!force && existsSync(join(directory, 'run.json'))) {
    throw new BrinkError(who, `${directory} already holds a run. Its results would be lost; name another, or --force.`);
  }
  return directory;
}
