import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** A folder of brink in the user's cache folder. */
export function cacheFolder(...names: readonly string[]): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'brink', ...names);
}

/**
 * Makes a folder that is whole whenever it is there: it is filled under another name and renamed, so that one that is
 * cut off is never taken for whole, and two at once do no harm.
 *
 * @param folder The name that it gets; whoever was first, theirs stays.
 * @param fill Fills the folder that it is given.
 * @throws What `fill` throws; nothing is left behind then.
 */
export async function makeFolder(folder: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${folder}.${hostname()}.${process.pid}.tmp`;
  removeAbandoned(folder);
  mkdirSync(temporary, { recursive: true });
  try {
    await fill(temporary);
    rename(temporary, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function rename(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}

/** Removes what processes of this host that are no more have left of this folder. */
function removeAbandoned(folder: string): void {
  const parent = dirname(folder);
  if (!existsSync(parent)) return;
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(`${basename(folder)}.${hostname()}.`) || !name.endsWith('.tmp')) continue;
    const pid = name.split('.').at(-2);
    try {
      process.kill(Number(pid), 0);
    } catch (error) {
      // Another user's lives, too: EPERM.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') continue;
      rmSync(join(parent, name), { recursive: true, force: true });
    }
  }
}
