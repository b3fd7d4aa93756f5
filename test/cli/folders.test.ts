import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readTable } from '../../src/tables/readTable.ts';
import { brink } from './brinkProcess.ts';
import { startRun } from './startRun.ts';

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'brink-folders-'));
});
afterEach(() => {
  spawnSync('umount', ['-l', join(parent, 'disk')]);
  rmSync(parent, { recursive: true, force: true });
});

/** Whom file modes don't stop. */
const isRoot = process.getuid?.() === 0;

const mountReadOnly = (folder: string) =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=16k', 'tmpfs', folder]).status === 0;

/** A disk of its own takes rights that not every root has. */
const canMount = (() => {
  const trial = mkdtempSync(join(tmpdir(), 'brink-mount-'));
  const mounted = mountReadOnly(trial);
  if (mounted) spawnSync('umount', [trial]);
  rmSync(trial, { recursive: true });
  return mounted;
})();

const run = (directory: string, ...more: string[]) =>
  brink(['run', '--data', 'chebyshev', '--learning-rate', '0.1', '--steps', '3', '--out', directory, ...more], {
    BRINK_ENGINE: 'wasm',
  });

describe('the folder of a run', { timeout: 120_000 }, () => {
  it('goes to one of two processes, and what it writes is left alone by the other', async () => {
    const directory = join(parent, 'run');
    const first = startRun(directory);
    await first.said('step 7');
    const second = await startRun(directory).ended;
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`run: ${directory} already holds a run (run.json).`);
    expect(await run(directory)).toMatchObject({ code: 1, stderr: expect.stringContaining('already holds a run') });
    const third = await run(directory, '--force');
    expect(third.code).toBe(1);
    expect(third.stderr).toContain(`run: ${directory} is being written by process ${first.child.pid}.`);
    first.child.kill('SIGINT');
    expect((await first.ended).code).toBe(130);
    expect(readdirSync(directory).sort()).toEqual(['alignment.arrows', 'log.jsonl', 'loss.parquet', 'run.json']);
    const { state, process } = JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8'));
    expect([state, process.pid]).toEqual(['stopped', first.child.pid]);
  });

  it('keeps the recording that a replay into it would read', async () => {
    const directory = join(parent, 'run');
    expect((await run(directory, '--record', '--probe', 'trainingLoss')).code).toBe(0);
    const before = readdirSync(directory).sort();
    const recording = join(directory, 'recording.arrows');
    const flags = ['--probe', 'trainingLoss', '--out', directory, '--force'];
    const replayed = await brink(['replay', recording, ...flags], { BRINK_ENGINE: 'wasm' });
    expect(replayed.code).toBe(1);
    expect(replayed.stderr).toContain(`${recording} is what this run reads`);
    expect(readdirSync(directory).sort()).toEqual(before);
    expect((await brink(['show', directory])).stdout).toContain('recording.arrows: a recording of 4 steps');
  });

  it('has probes that draw batches as training does', async () => {
    const directory = join(parent, 'run');
    const probe = ['--probe', 'gradientConcentration'];
    expect((await run(directory, '--batch-size', '4', '--replacement', '--record', ...probe)).code).toBe(0);
    const again = join(parent, 'again');
    const replay = ['replay', join(directory, 'recording.arrows'), ...probe, '--out', again];
    expect((await brink(replay, { BRINK_ENGINE: 'wasm' })).code).toBe(0);
    for (const folder of [directory, again]) {
      const { rows } = await readTable(join(folder, 'concentration.parquet'));
      expect(rows.map((row) => row.replacement)).toEqual([true, true, true, true]);
    }
  });

  it('is made with those above it where it is missing', async () => {
    const directory = join(parent, 'a', 'b', 'run');
    expect((await run(directory, '--probe', 'trainingLoss')).code).toBe(0);
    expect(readdirSync(directory).sort()).toEqual(['log.jsonl', 'loss.parquet', 'run.json']);
  });

  it('can’t lie within a file', async () => {
    const file = join(parent, 'file');
    writeFileSync(file, 'mine');
    const directory = join(file, 'run');
    const { code, stderr } = await run(directory);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`^run: ${directory} can't be written: ENOTDIR: .*\\. Name a folder that can\\.\n$`),
    );
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  it.skipIf(isRoot)('can’t be one that is read-only', async () => {
    const directory = join(parent, 'locked');
    mkdirSync(directory);
    chmodSync(directory, 0o500);
    const { code, stderr } = await run(directory);
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^run: ${directory} can't be written: EACCES: `));
  });

  it.runIf(isRoot && canMount)('can’t be one on a disk that is read-only, whoever asks', async () => {
    const directory = join(parent, 'disk');
    mkdirSync(directory);
    mountReadOnly(directory);
    const { code, stderr } = await run(directory);
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^run: ${directory} can't be written: EROFS: `));
  });
});
