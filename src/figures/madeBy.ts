import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '../core/Json.ts';
import { MACHINE } from '../files/versions.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Who made a figure: versions, commit, the locked packages, the machine. */
export function madeBy(): JsonObject {
  const lock = join(ROOT, 'package-lock.json');
  return {
    ...MACHINE,
    cores: availableParallelism(),
    commit: commit(),
    'package-lock.json (SHA-256)': existsSync(lock)
      ? createHash('sha256').update(readFileSync(lock)).digest('hex')
      : 'none: an installed package',
  };
}

/** The commit of brink's own clone, and whether files differ from it. */
function commit(): string {
  if (!existsSync(join(ROOT, '.git'))) return 'none: not a clone';
  const git = (...words: string[]) => spawnSync('git', ['-C', ROOT, ...words], { encoding: 'utf8' });
  const { status, stdout } = git('rev-parse', 'HEAD');
  if (status !== 0) return 'unknown: git does not tell';
  const changed = git('status', '--porcelain', '--untracked-files=no').stdout.trim() !== '';
  return stdout.trim() + (changed ? ', with changes' : '');
}
