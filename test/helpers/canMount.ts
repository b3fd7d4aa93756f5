import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whether this process may mount a small disk of its own, which takes rights that few have. */
export function canMount(): boolean {
  const trial = mkdtempSync(join(tmpdir(), 'brink-mount-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', trial]).status === 0;
  if (mounted) execFileSync('umount', [trial]);
  rmSync(trial, { recursive: true });
  return mounted;
}
