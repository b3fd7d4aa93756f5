import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRecording } from '../../src/recording/openRecording.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { brink } from './brinkProcess.ts';

let parent: string;
let recording: string;
const command = (...args: string[]) => brink(args, { BRINK_ENGINE: 'wasm' });
const SMALL = ['--data', 'chebyshev', '--model', 'mlp:hidden=4,3', '--learning-rate', '0.1', '--batch-size', '5'];
const LOSS = ['--probe', 'trainingLoss'];
const losses = async (folder: string) =>
  (await readTable(join(folder, 'loss.parquet'))).rows.map(({ step, loss }) => [step, loss]);

beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), 'brink-cli-resume-'));
  for (const [name, steps] of [
    ['short', '4'],
    ['long', '9'],
  ] as const) {
    const out = join(parent, name);
    expect((await command('run', ...SMALL, '--steps', steps, ...LOSS, '--record', '--out', out)).code).toBe(0);
  }
  recording = join(parent, 'short', 'recording.arrows');
}, 60_000);
afterAll(() => rmSync(parent, { recursive: true }));

/** A copy, since a resumed run goes on with its recording. */
function copied(name: string): string {
  const path = join(parent, name);
  copyFileSync(recording, path);
  return path;
}

describe('brink resume', () => {
  it('goes on as the run would have gone, and so does its recording', async () => {
    const path = copied('a.arrows');
    const out = join(parent, 'resumed');
    const { code, stdout } = await command('resume', path, '--steps', '9', ...LOSS, '--out', out, '--json');
    expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ state: 'finished', steps: 6 })]);
    expect(await losses(out)).toEqual((await losses(join(parent, 'long'))).slice(4));
    const { indices, close } = openRecording('test', path);
    close();
    expect(indices).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  }, 60_000);

  it('writes the rows that the tables of the run lack, and says where those end', async () => {
    const first = join(parent, 'first');
    cpSync(join(parent, 'short'), first, { recursive: true });
    const out = join(parent, 'second');
    const path = join(first, 'recording.arrows');
    const { code, stderr } = await command('resume', path, '--steps', '9', ...LOSS, '--out', out);
    expect(code).toBe(0);
    expect(stderr).toContain(`The tables of ${first} end at 4 (loss); measuring goes on behind the end of each`);
    expect([...(await losses(first)), ...(await losses(out))]).toEqual(await losses(join(parent, 'long')));
  }, 60_000);

  it('leaves the recording alone where it is told to', async () => {
    const path = copied('b.arrows');
    const out = join(parent, 'alone');
    const { code } = await command('resume', path, '--steps', '6', '--no-record', ...LOSS, '--out', out);
    expect(code).toBe(0);
    expect(readFileSync(path)).toEqual(readFileSync(recording));
  }, 60_000);

  it('ends with 2 where the step to end at lies behind', async () => {
    const { code, stderr } = await command('resume', copied('c.arrows'), '--steps', '2', '--out', join(parent, 'no'));
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('resume: steps is 2, and the recording goes on at step'),
    ]);
  }, 60_000);
});

describe('brink fork', () => {
  it('leaves the run at a step with another learning rate, on the same order of the data', async () => {
    const same = join(parent, 'same');
    await command('fork', recording, '--step', '2', '--steps', '2', ...LOSS, '--out', same);
    expect(await losses(same)).toEqual((await losses(join(parent, 'short'))).slice(2));
    const other = join(parent, 'other');
    const catapult = ['--step', '2', '--steps', '3', '--learning-rate', '0.5', '--record'];
    const { code } = await command('fork', recording, ...catapult, ...LOSS, '--out', other);
    expect(code).toBe(0);
    const { rows, metadata } = await readTable(join(other, 'loss.parquet'));
    expect(rows.map(({ step, learning_rate }) => [step, learning_rate])).toEqual([2, 3, 4, 5].map((t) => [t, 0.5]));
    expect(metadata.source).toMatchObject({ fork: { step: 2 } });
    const { indices, close } = openRecording('test', join(other, 'recording.arrows'));
    close();
    expect(indices).toEqual([2, 3, 4, 5]);
  }, 60_000);

  it('ends with 2 for an option out of its range, and without the number of steps', async () => {
    const wrong = await command('fork', recording, '--steps', '1', '--batch-size', '0', '--out', join(parent, 'no2'));
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('batchSize is 0')]);
    expect((await command('fork', recording)).code).toBe(2);
  }, 60_000);
});
