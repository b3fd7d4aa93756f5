import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Observable, tap } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Step } from '../../src/core/Step.ts';
import { toy } from '../../src/objectives/quadratic.ts';
import { alignment } from '../../src/probes/alignment.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { run } from '../../src/runs/run.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { brink, program } from './brinkProcess.ts';
import { startProgram, startRun } from './startRun.ts';

let parent: string;
let directory: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'brink-signals-'));
  directory = join(parent, 'run');
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const record = () => JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8'));

/** Expects both tables whole, with every step up to the last that run.json counts, or but that. */
async function expectTables(steps: number) {
  expect(readdirSync(directory).sort()).toEqual(['alignment.arrows', 'log.jsonl', 'loss.parquet', 'run.json']);
  const loss = await readTable(join(directory, 'loss.parquet'), trainingLoss.table);
  const aligned = await readTable(join(directory, 'alignment.arrows'), alignment.table);
  for (const found of [loss.rows.map(({ step }) => step), aligned.rows.map(({ step }) => step)]) {
    expect(found.length).toBeGreaterThanOrEqual(steps - 1);
    expect(found.length).toBeLessThanOrEqual(steps);
    expect(found).toEqual(Array.from(found, (_, t) => t));
  }
}

describe('the first signal', { timeout: 120_000 }, () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s stops a run, with its tables finished, and the process exits with %d', async (signal, code) => {
    const started = startRun(directory);
    await started.said('step 22');
    started.child.kill(signal);
    const ended = await started.ended;
    expect(ended).toMatchObject({ code, signal: null, stdout: expect.not.stringContaining('stopped') });
    expect(ended.stderr).toBe(`\n${signal}: stopping, and finishing the tables; once more stops at once\n`);
    expect(record()).toMatchObject({ state: 'stopped', error: null });
    await expectTables(record().steps);
  });

  it('lets the command line print the summary of the run', async () => {
    const flags = [
      '--learning-rate',
      '0.01',
      '--steps',
      '1000000',
      '--probe',
      'trainingLoss',
      '--out',
      directory,
      '--json',
    ];
    const started = startProgram(program, 'run', ...flags);
    await started.said('step ');
    started.child.kill('SIGINT');
    const { code, stdout } = await started.ended;
    expect(code).toBe(130);
    const summary = JSON.parse(stdout);
    expect(summary).toMatchObject({ state: 'stopped', directory, branches: { loss: { rows: summary.steps } } });
    expect(record()).toMatchObject({ state: 'stopped', steps: summary.steps });
  });

  it('does not wait for the end of a measurement', async () => {
    const started = startRun(directory, 'stuck');
    await started.said('step 7');
    await wait(200);
    started.child.kill('SIGINT');
    expect((await started.ended).code).toBe(130);
    expect(record()).toMatchObject({ state: 'stopped', steps: 8, branches: { loss: { rows: 8 }, slow: { rows: 7 } } });
    await expectTables(8);
  });

  it('may come twice, as npm passes it on, and is the same one', async () => {
    const started = startRun(directory, 'deaf');
    await started.said('step 22');
    started.child.kill('SIGINT');
    await started.said('SIGINT');
    started.child.kill('SIGINT');
    await wait(250);
    expect(started.child.exitCode).toBeNull();
    started.child.kill('SIGKILL');
    await started.ended;
  });

  it('is left to a program that listens itself', async () => {
    const started = startRun(directory, 'own');
    await started.said('step 7');
    started.child.kill('SIGINT');
    await started.said('heard');
    await started.said('step 27');
    expect(record().state).toBe('running');
    started.child.kill('SIGTERM');
    expect((await started.ended).code).toBe(143);
    await expectTables(record().steps);
  });
});

describe('the second signal', { timeout: 120_000 }, () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s ends the process at once, and the tables can be recovered', async (signal, code) => {
    const started = startRun(directory, 'deaf');
    await started.said('step 152');
    started.child.kill('SIGINT');
    await started.said('SIGINT');
    await wait(400);
    const time = performance.now();
    started.child.kill(signal);
    expect((await started.ended).code).toBe(code);
    expect(performance.now() - time).toBeLessThan(2000);
    expect(record().state).toBe('running');
    expect((await brink(['recover', directory])).code).toBe(0);
    const { rows } = await readTable(join(directory, 'loss.parquet'), trainingLoss.table);
    // All but those of the last second.
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.map(({ step }) => step)).toEqual(Array.from(rows, (_, t) => t));
  });
});

describe('a program of its own', () => {
  const heard = () => (['SIGINT', 'SIGTERM'] as const).map((signal) => process.listenerCount(signal));
  const train = () => gradientDescent(toy(), { learningRate: 0.01, steps: 3 });

  it('has its signals back when its runs have ended, also one that could not begin', async () => {
    const before = heard();
    const during: number[][] = [];
    const branches = { a: (s: Observable<Step>) => s.pipe(tap(() => during.push(heard()))) };
    await Promise.all(
      ['one', 'two'].map((name) => run(train(), branches, { directory: join(parent, name), progress: false })),
    );
    expect(during).toHaveLength(8);
    for (const counts of during) expect(counts).toEqual(before.map((count) => Math.max(count, 1)));
    expect(heard()).toEqual(before);
    await expect(run(train(), branches, { directory: join(parent, 'one'), progress: false })).rejects.toThrow(
      'already',
    );
    expect(heard()).toEqual(before);
  });

  it('keeps its signals where it says so', async () => {
    const before = heard();
    const branches = { a: (s: Observable<Step>) => s.pipe(tap(() => expect(heard()).toEqual(before))) };
    const { branches: ended } = await run(train(), branches, { directory, progress: false, signals: 'ignore' });
    expect(ended).toMatchObject({ a: { rows: 4 } });
    expect(ended.a).not.toHaveProperty('error');
  });
});
