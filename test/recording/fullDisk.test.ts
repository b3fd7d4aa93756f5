import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { map, type Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStep, type Step } from '../../src/core/Step.ts';
import { record } from '../../src/recording/record.ts';
import { resume } from '../../src/recording/resume.ts';
import { run } from '../../src/runs/run.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { canMount } from '../helpers/canMount.ts';
import { regression } from '../helpers/regression.ts';
import { collect, held } from './plain.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-full-'));
});

describe.skipIf(!canMount())('a disk of 256 KiB', () => {
  beforeEach(() => execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder]));
  afterEach(() => {
    spawnSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true, force: true });
  });

  const objective = Object.assign(regression(8, 1000), { metadata: { objective: 'test' } });
  const train = (steps: number) => gradientDescent(objective, { learningRate: 1e-4, steps });
  const path = () => join(folder, 'recording.arrows');
  /** Steps of a source that does not say how many they are. */
  const unforeseen = (steps: number): Observable<Step> =>
    train(steps).pipe(map((step) => openStep(step, { metadata: step.run.metadata }).step));

  it('is known to be too small before a byte is written', async () => {
    const refused = collect(train(99).pipe(record(path())));
    await expect(refused).rejects.toThrow(
      /^record: 100 steps need 492\.4 kB, and the disk of .* has 262\.1 kB free\. Nothing was written; make room/,
    );
    await expect(refused).rejects.toThrow('make room, or record fewer steps');
    expect(readdirSync(folder)).toEqual([]);
    await collect(train(99).pipe(record(path(), { every: 4 })));
    expect(held(path()).indices).toHaveLength(25);
  });

  it('that fills up ends the recording with an error that says what is kept, which is', async () => {
    const error: Error = await collect(unforeseen(99).pipe(record(path()))).then(
      () => expect.unreachable(),
      (thrown) => thrown,
    );
    expect(error.message).toMatch(
      /^record: .*recording\.arrows cannot be written: ENOSPC.* The \d+ steps before are kept/,
    );
    const kept = Number(error.message.match(/The (\d+) steps/)![1]);
    expect(kept).toBeGreaterThan(10);
    const { indices, tornBytes } = held(path());
    expect([indices.length, tornBytes]).toEqual([kept, 0]);
    execFileSync('mount', ['-o', 'remount,size=64m', folder]);
    await collect(resume(path(), { objective }).pipe(record()));
    expect(held(path()).indices).toEqual(Array.from({ length: 100 }, (_, t) => t));
  });

  it('ends its own branch of a run alone', async () => {
    const exitCode = process.exitCode;
    const seen: number[] = [];
    const directory = mkdtempSync(join(tmpdir(), 'brink-run-'));
    const summary = await run(
      train(99),
      { recording: (s) => s.pipe(record(path())), other: (s) => s.pipe(map((step) => seen.push(step.index))) },
      { directory, progress: false },
    );
    rmSync(directory, { recursive: true });
    process.exitCode = exitCode;
    expect(summary.branches.recording.error?.message).toContain('100 steps need');
    expect(seen).toHaveLength(100);
  });
});

describe.skipIf(process.platform === 'win32')('a process whose files may not grow', () => {
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('says so, with how many steps are kept, and they are', () => {
    const program = join(import.meta.dirname, 'recordingProcess.ts');
    const command = `ulimit -f 400; exec "${process.execPath}" "${program}" SGD "${folder}/run"`;
    const child = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
    expect(child.stderr).toMatch(/branch recording: record: .*recording\.arrows cannot be written: EFBIG/);
    const told = child.stdout.trim().split('\n').length;
    expect(told).toBe(Number(child.stderr.match(/The (\d+) steps before are kept/)![1]));
    expect(held(join(folder, 'run', 'recording.arrows')).indices).toHaveLength(told);
  });
});
