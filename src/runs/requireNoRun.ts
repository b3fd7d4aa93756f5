import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BrinkError } from '../core/errors.ts';
import { namedFolder } from './namedFolder.ts';

/** The folder as an absolute path. @throws BrinkError where it holds a run that is not to be replaced. */
export function requireNoRun(who: string, folder: string, force: boolean): string {
  const directory = namedFolder(who, folder);
  if (!force && existsSync(join(directory, 'run.json'))) {
    throw new BrinkError(who, `${directory} already holds a run. Its results would be lost; name another, or --force.`);
  }
  return directory;
}
