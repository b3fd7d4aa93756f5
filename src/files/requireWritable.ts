import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { BrinkError } from '../core/errors.ts';
import { sayingWhy } from './sayingWhy.ts';

/**
 * Throws unless files can be made in a folder, which may be missing: before anything is removed in their favour.
 *
 * @throws BrinkError where the nearest folder that is there is none, or can't be written.
 */
export function requireWritable(who: string, folder: string): void {
  let there = folder;
  while (!existsSync(there) && there !== dirname(there)) there = dirname(there);
  const advice = 'Name a place that can be written.';
  if (!statSync(there).isDirectory()) {
    throw new BrinkError(who, `${folder} can't be a folder: ${there} is a file. ${advice}`);
  }
  sayingWhy(who, `${folder} can't be written`, advice, () => accessSync(there, constants.W_OK | constants.X_OK));
}
