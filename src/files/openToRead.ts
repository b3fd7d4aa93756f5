import { closeSync, fstatSync, openSync } from 'node:fs';
import { BrinkError } from '../core/errors.ts';
import { sayingWhy } from './sayingWhy.ts';

/** Opens a file for reading. @throws BrinkError where it is not there, may not be read, or is a folder. */
export function openToRead(who: string, path: string): number {
  const file = sayingWhy(who, `${path} can't be opened`, 'Look at the path.', () => openSync(path, 'r'));
  if (!fstatSync(file).isDirectory()) return file;
  closeSync(file);
  throw new BrinkError(who, `${path} is a folder. Name a file in it.`);
}
