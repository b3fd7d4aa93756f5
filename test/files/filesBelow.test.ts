import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { filesBelow } from '../../src/files/filesBelow.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-below-'));
  for (const name of ['all/runs/b', 'elsewhere']) mkdirSync(join(folder, name), { recursive: true });
  for (const name of ['all/runs/b/1', 'all/runs/2', 'elsewhere/3']) writeFileSync(join(folder, name), name);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the files below a folder', () => {
  it('are listed once, under their own names, however many links lead to them, and round a circle', () => {
    symlinkSync(join(folder, 'all/runs'), join(folder, 'all/a-link'));
    symlinkSync(join(folder, 'all'), join(folder, 'all/runs/b/up'));
    symlinkSync(join(folder, 'all/runs/2'), join(folder, 'all/a-file'));
    symlinkSync(join(folder, 'nowhere'), join(folder, 'all/dangling'));
    expect(filesBelow(join(folder, 'all'))).toEqual(['runs/2', 'runs/b/1']);
  });

  it('are those behind a link too', () => {
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'all/one'));
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'all/two'));
    expect(filesBelow(join(folder, 'all'))).toEqual(['one/3', 'runs/2', 'runs/b/1']);
    expect(filesBelow(join(folder, 'all/one'))).toEqual(['3']);
  });
});
