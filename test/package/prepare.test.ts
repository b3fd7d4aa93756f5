import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

let clone: string;
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'brink-clone-'));
  mkdirSync(join(clone, 'packaging'));
  copyFileSync(join(import.meta.dirname, '../../packaging/prepare.js'), join(clone, 'packaging/prepare.js'));
});
afterEach(() => rmSync(clone, { recursive: true }));

/** Prepares a clone for which npm has brought no packages, on a Node.js that runs no TypeScript. */
function prepare(omit: string) {
  const { stdout, status } = spawnSync(process.execPath, ['--no-experimental-strip-types', 'packaging/prepare.js'], {
    cwd: clone,
    env: { ...process.env, npm_config_omit: omit },
    encoding: 'utf8',
  });
  return { stdout, status };
}

const said = (remedy: string) => ({
  stdout: `brink: this is Node.js ${process.version}, and npm has brought no newer one. ${remedy} 22.18 or newer.\n`,
  status: 0,
});

it('a clone whose Node.js is too old and whose npm brought none says so', () => {
  expect(prepare('')).toEqual(said('Install'));
  expect(prepare('dev')).toEqual(said('Install'));
});

it('and says where npm was told to leave it out', () => {
  const remedy = 'It was told to leave optional packages out: run `npm ci` without that, or install';
  expect(prepare('optional')).toEqual(said(remedy));
  expect(prepare('dev\n\noptional')).toEqual(said(remedy));
});
