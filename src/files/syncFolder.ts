import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Makes a rename in a folder survive a crash of the machine. */
export function syncFolder(folder: string): void {
  const file = openSync(folder, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
