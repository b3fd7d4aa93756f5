import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { checksums } from '../../files/checksums.ts';
import type { Archive, FileChecksum } from './archives.ts';

/** One file of an archive on disk. */
export interface CheckedFile {
  readonly path: string;
  readonly state: 'right' | 'wrong' | 'missing';
}

/** Compares the files of an archive, unpacked in `directory` or being it, with their checksums. */
export async function checkArchive(archive: Archive, directory: string): Promise<CheckedFile[]> {
  const names = Object.keys(archive.files);
  const within = resolve(directory, archive.folder);
  const folder = !existsSync(within) && existsSync(join(directory, names[0]!)) ? resolve(directory) : within;
  const checked: CheckedFile[] = [];
  for (const name of names) {
    const path = join(folder, name);
    const state = existsSync(path) ? ((await isRight(path, archive.files[name]!)) ? 'right' : 'wrong') : 'missing';
    checked.push({ path, state });
  }
  return checked;
}

async function isRight(path: string, expected: FileChecksum): Promise<boolean> {
  const { md5, sha256 } = await checksums(path);
  return 'sha256' in expected ? sha256 === expected.sha256 : md5 === expected.md5;
}
