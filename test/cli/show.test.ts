import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toy } from '../../src/objectives/quadratic.ts';
import { interactionAwareSharpness } from '../../src/probes/interactionAwareSharpness.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { run } from '../../src/runs/run.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';
import { brink } from './brinkProcess.ts';
import { startRun } from './startRun.ts';

let parent: string;
beforeAll(() => {
  parent = mkdtempSync(join(tmpdir(), 'brink-show-'));
});
afterAll(() => rmSync(parent, { recursive: true }));

describe('brink show', { timeout: 120_000 }, () => {
  it('shows a finished run: what it was, and each table with its columns as lines over the steps', async () => {
    const directory = join(parent, 'finished');
    const objective = regression();
    const batchSizes = [1, 2];
    await run(
      gradientDescent(objective, { learningRate: 0.01, steps: 20, seed: 7 }),
      {
        loss: (s) => s.pipe(trainingLoss(), toParquet()),
        sharpness: (s) => s.pipe(interactionAwareSharpness({ batchSizes }), toParquet()),
      },
      { directory, progress: false },
    );
    const { code, stdout } = await brink(['show', directory]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^.*finished: finished, 21 steps in /);
    expect(stdout).toContain('learningRate 0.01, steps 20');
    expect(stdout).toMatch(/\nbranch +rows +seconds +forwards +gradients +products\nloss +21 +0\.\d +0 +0 +0\n/);
    expect(stdout).toMatch(/\nsharpness +42 +\d\.\d +0 +\d+ +\d+\n/);
    expect(stdout).toMatch(/loss\.parquet: 21 rows\n {2}columns: step, epoch, loss, /);
    expect(stdout).toMatch(/\n {2}loss +L +█.*▁ /);
    expect(stdout).toMatch(/\n {2}ias +‖H‖_\{S_b\} +batch_size=1 /);
    expect(stdout).toMatch(/\n {2}ias +‖H‖_\{S_b\} +batch_size=2 /);
    expect(stdout).not.toContain('recover');

    const { tables, ...rest } = JSON.parse((await brink(['show', directory, '--json'])).stdout);
    expect(rest).toMatchObject({ directory, state: 'finished', run: { steps: 21 } });
    expect(tables).toMatchObject([
      { file: 'loss.parquet', name: 'loss', rows: 21, state: 'finished' },
      { file: 'sharpness.parquet', name: 'sharpness', rows: 42, state: 'finished' },
    ]);
    const { first, last, least, most } = tables[0].series.find((s: { column: string }) => s.column === 'loss');
    expect([most, least]).toEqual([first, last]);
  });

  it('shows a run that diverged, with the reason', async () => {
    const directory = join(parent, 'diverged');
    const exitCode = process.exitCode;
    await run(
      gradientDescent(toy(), { learningRate: 1, steps: 1000 }),
      { loss: (s) => s.pipe(trainingLoss(), toParquet()) },
      { directory, progress: false },
    );
    process.exitCode = exitCode;
    const { code, stdout } = await brink(['show', directory]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/: diverged, \d+ steps in .*\n(.*\n)+gradientDescent: .* at step \d+/);
  });

  it('shows a run while it runs, after it was killed, and after its tables are recovered', async () => {
    const directory = join(parent, 'killed');
    const process = startRun(directory);
    await process.said('step 152');
    const running = await brink(['show', directory]);
    process.child.kill('SIGKILL');
    await process.ended;
    const killed = await brink(['show', directory]);
    const recovered = await brink(['recover', directory]);
    const after = await brink(['show', directory]);

    expect([running, killed, recovered, after].map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(running.stdout).toMatch(/: running\n/);
    expect(running.stdout).toMatch(/loss\.arrows\.part: \d+ rows, being written\n/);
    expect(running.stdout).not.toContain('recover');
    expect(killed.stdout).toMatch(/: cut off\n/);
    expect(killed.stdout).toMatch(/alignment\.arrows\.part: \d+ rows, unfinished\n/);
    expect(killed.stdout).toContain(`Tables are unfinished: \`brink recover ${directory}\` finishes them.`);
    expect(after.stdout).toMatch(/: recovered\n/);
    expect(after.stdout).toMatch(/alignment\.arrows: [1-9]\d* rows\n/);
    expect(after.stdout).toMatch(/loss\.parquet: [1-9]\d* rows\n/);
    expect(after.stdout).not.toContain('brink recover');
  });

  it('shows the other tables where one can’t be read', async () => {
    const directory = join(parent, 'finished');
    writeFileSync(join(directory, 'broken.parquet'), 'no table');
    const { code, stdout } = await brink(['show', directory]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\nbroken\.parquet: .+\n/);
    expect(stdout).toMatch(/\nloss\.parquet: 21 rows\n/);
  });

  it('says what is missing', async () => {
    const missing = join(parent, 'missing');
    const empty = join(parent, 'empty');
    const other = join(parent, 'other');
    mkdirSync(empty);
    mkdirSync(other);
    writeFileSync(join(other, 'run.json'), '{"state": 3}');
    expect(await brink(['show', missing])).toMatchObject({
      code: 1,
      stderr: `show: there is no folder ${missing}. Name that of a run.\n`,
    });
    expect(await brink(['show', empty])).toMatchObject({
      code: 1,
      stderr: `show: ${empty} holds no run (run.json). Name the folder of a run itself.\n`,
    });
    expect(await brink(['show', ''])).toMatchObject({
      code: 1,
      stderr: "show: the folder is ''. A run has one of its own; name it.\n",
    });
    const file = join(other, 'run.json');
    expect(await brink(['show', file])).toMatchObject({
      code: 1,
      stderr: `show: ${file} is a file. Name the folder of a run, the one with run.json.\n`,
    });
    const { code, stderr } = await brink(['show', other]);
    expect(code).toBe(1);
    expect(stderr).toContain(`show: ${other}/run.json is no record of a run.`);
  });
});
