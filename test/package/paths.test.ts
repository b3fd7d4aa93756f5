import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { everything } from '../helpers/everything.ts';

const root = join(import.meta.dirname, '../..');
const HARD = 'new comer ü#1 %20';

let parent: string;
/** A link to a clone in a folder whose name is no address as it stands. */
let clone: string;

beforeAll(() => {
  parent = mkdtempSync(join(realpathSync(tmpdir()), 'brink-paths-'));
  const folder = join(parent, HARD);
  mkdirSync(folder);
  for (const name of ['src', 'fixtures', 'package.json'])
    cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  clone = join(parent, 'link');
  symlinkSync(folder, clone);
});
afterAll(() => rmSync(parent, { recursive: true }));

async function brink(...args: string[]): Promise<string> {
  const env = { ...process.env, BRINK_ENGINE: 'wasm' };
  const options = { cwd: clone, env };
  return (await promisify(execFile)(process.execPath, [join(clone, 'src/cli/brink.ts'), ...args], options)).stdout;
}

describe.runIf(everything)('a clone with spaces, #, ü and % in its path, behind a link', { timeout: 120_000 }, () => {
  it('has its engine', async () => {
    const wasm = JSON.parse(await brink('engine', '--json')).at(-1);
    expect(wasm).toMatchObject({ name: 'wasm', usable: true });
  });

  it('finds its reference values, on all threads', async () => {
    expect(await brink('verify')).toMatch(/\npassed: all \d+\n$/);
  });

  it('runs, replays and shows in folders with such names', async () => {
    const [first, second] = ['one', 'two'].map((name) => join(parent, HARD, 'output', `${HARD} ${name}`));
    const run = ['run', '--data', 'chebyshev', '--learning-rate', '0.1', '--steps', '3', '--record', '--json'];
    expect(JSON.parse(await brink(...run, '--out', first!))).toMatchObject({ state: 'finished', directory: first });
    const replay = ['replay', join(first!, 'recording.arrows'), '--probe', 'trainingLoss', '--json'];
    expect(JSON.parse(await brink(...replay, '--out', second!))).toMatchObject({
      state: 'finished',
      directory: second,
    });
    expect(await brink('show', second!)).toContain('loss.parquet: 4 rows');
    expect(await brink('recover', first!)).toBe(`nothing to recover in ${first}\n`);
  });
});

describe('the sources', () => {
  it('take no path out of a URL, where it is encoded', () => {
    const files = ['src', 'test', 'bench', 'docs', 'packaging', 'pipelines'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => /\.[jt]s$/.test(file) && !file.includes('.venv'))
        .map((file) => join(folder, file)),
    );
    const wrong = files.filter((file) => /\)\.pathname\b/.test(readFileSync(join(root, file), 'utf8')));
    expect(wrong).toEqual([]);
  });
});
