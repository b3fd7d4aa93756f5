import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { topEigenvalues } from '../../src/probes/topEigenvalues.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { brink } from './brinkProcess.ts';

let parent: string;
let recording: string;
const command = (...args: string[]) => brink(args, { BRINK_ENGINE: 'wasm' });

beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), 'brink-cli-replay-'));
  const out = join(parent, 'live');
  const small = ['--data', 'chebyshev', '--model', 'mlp:hidden=4,3', '--learning-rate', '0.1', '--steps', '6'];
  const probes = ['--probe', 'topEigenvalues:count=2', '--every', '2'];
  const { code, stderr } = await command('run', ...small, ...probes, '--record', '--out', out);
  expect([code, stderr]).toEqual([0, expect.stringContaining('finished: 7 steps')]);
  recording = join(out, 'recording.arrows');
}, 60_000);
afterAll(() => rmSync(parent, { recursive: true }));

describe('brink replay', () => {
  it('measures again what was measured live, to the same numbers', async () => {
    const out = join(parent, 'again');
    const { code, stdout } = await command(
      ...['replay', recording, '--probe', 'topEigenvalues:count=2', '--every', '2', '--out', out, '--json'],
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      state: 'finished',
      steps: 7,
      branches: { eigenvalues: { rows: 4 } },
    });
    const rows = async (directory: string) =>
      (await readTable(join(directory, 'eigenvalues.parquet'), topEigenvalues.table)).rows;
    expect(await rows(out)).toEqual(await rows(join(parent, 'live')));
    expect(JSON.parse(readFileSync(join(out, 'run.json'), 'utf8')).metadata.user).toEqual({ recording });
  });

  it('measures something else on part of it', async () => {
    const out = join(parent, 'part');
    const { code, stdout } = await command(
      ...['replay', recording, '--probe', 'edge', '--probe', 'hessianTrace:every=3', '--from', '2', '--to', '5'],
      ...['--out', out, '--json'],
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ steps: 4, branches: { edge: { rows: 4 }, traces: { rows: 1 } } });
  });

  it('leaves a torn step out, and says so', async () => {
    const torn = join(parent, 'torn.arrows');
    copyFileSync(recording, torn);
    truncateSync(torn, statSync(torn).size - 100);
    const { code, stderr } = await command('replay', torn, '--out', join(parent, 'torn'));
    expect(code).toBe(0);
    expect(stderr).toMatch(/torn\.arrows was cut off: the \d+ bytes of its last step are left out\./);
  });

  it.each<[string, () => string[], number, RegExp]>([
    ['a probe that is unknown', () => [recording, '--probe', 'topEigenvalue'], 2, /Did you mean topEigenvalues\?/],
    [
      'an option that does not go with the model',
      () => [recording, '--probe', 'topEigenvalues:count=28', '--out', join(parent, 'many')],
      2,
      /^topEigenvalues: count is 28, but H has only 27 eigenvalues\./,
    ],
    ['a range without a step', () => [recording, '--from', '90'], 2, /holds steps 0 to 6, and none with from 90/],
    ['a file that is not there', () => [join(parent, 'missing.arrows')], 1, /missing\.arrows/],
    [
      'a folder that holds a run',
      () => [recording, '--out', join(parent, 'live')],
      1,
      /already holds a run\..* --force/,
    ],
  ])('refuses %s', async (_, args, status, message) => {
    const { code, stderr } = await command('replay', ...args());
    expect(stderr).toMatch(message);
    expect(code).toBe(status);
  });
});
