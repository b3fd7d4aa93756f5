import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

interface Entry {
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly gypfile?: boolean;
}
const lockFile = join(import.meta.dirname, '../../package-lock.json');
const entries: Record<string, Entry> = JSON.parse(readFileSync(lockFile, 'utf8')).packages;

describe('package-lock.json', () => {
  it('pins every package by its hash', () => {
    const loose = Object.keys(entries).filter((name) => name !== '' && !entries[name]!.integrity);
    expect(loose).toEqual([]);
  });

  // npm 10 knows no `allowScripts`; it runs those that the lock file speaks of, and compiles what looks as if it had
  // to be.
  it('lets npm run no script of a package: whatever a script downloads is not pinned', () => {
    const running = Object.keys(entries).filter((name) => entries[name]!.hasInstallScript);
    expect(running, 'take the lines "hasInstallScript" out by hand').toEqual([]);
    const { gypfile } = entries['node_modules/@tensorflow/tfjs-node-gpu']!;
    expect(gypfile, 'npm took a line out; put "gypfile": false below "version" by hand').toBe(false);
  });
});
