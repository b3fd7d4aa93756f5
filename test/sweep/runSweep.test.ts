import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { collectSweep, readTable, runSweep, type SweepRequest, sweepStatus, writePlan } from '../../src/index.ts';
import { indexFromEnvironment } from '../../src/sweep/indexFromEnvironment.ts';
import { brink, program } from '../cli/brinkProcess.ts';
import { collectedTables } from '../helpers/collectedTables.ts';
import { everything } from '../helpers/everything.ts';
import { pythonOrSkip } from '../helpers/python.ts';

const pipeline = {
  data: { name: 'digits', train: 48, test: 16 },
  model: { name: 'mlp', hidden: [6], activation: 'relu' },
  learningRate: 0.1,
  steps: 12,
  probes: [
    { name: 'trainingLoss', test: true, every: 4 },
    { name: 'gradientConcentration', batchSizes: [4], every: 6 },
  ],
};
/** Nine cells, of which three diverge. */
const request: SweepRequest = { pipeline, axes: { batchSize: [4, 8, 16], learningRate: [0.05, 0.1, 1e30] } };
/** Cells that take longer than a test waits. */
const endless: SweepRequest = {
  pipeline: { ...pipeline, steps: 1e7, probes: [{ name: 'trainingLoss', every: 1e6 }] },
  axes: { seed: [0, 1, 2] },
};
const quiet = { progress: false };

let parent: string;
let whole: string;
beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), 'brink-sweep-'));
  whole = join(parent, 'whole');
  writePlan(whole, request);
  await runSweep(whole, { ...quiet, jobs: 1 });
  await collectSweep(whole);
}, 60_000);
afterAll(() => rmSync(parent, { recursive: true, force: true }));

const until = async (isSo: () => boolean) => {
  for (let k = 0; k < 600 && !isSo(); k++) await sleep(50);
  expect(isSo()).toBe(true);
};
const resultsIn = (directory: string) => readdirSync(join(directory, 'results')).length;
/** The process that is at work on a cell. */
const workers = (directory: string) =>
  readdirSync(join(directory, 'cells'))
    .filter((file) => file.endsWith('.lock'))
    .map((file) => (JSON.parse(readFileSync(join(directory, 'cells', file), 'utf8')) as { pid: number }).pid);

describe('a sweep', { timeout: 120_000 }, () => {
  it('runs every cell, and takes divergence for a result', async () => {
    const { counts, cells, picture } = sweepStatus(whole);
    expect(counts).toEqual({ done: 6, diverged: 3, failed: 0, running: 0, queued: 0, missing: 0 });
    expect(cells.filter(({ state }) => state === 'diverged').map(({ cell }) => cell.params.learning_rate)).toEqual([
      1e30, 1e30, 1e30,
    ]);
    expect(picture.split('\n').slice(1, 5)).toEqual([
      'batch_size  0.05 0.1 1e+30',
      '         4     #   #     !',
      '         8     #   #     !',
      '        16     #   #     !',
    ]);
  });

  it('goes on where nothing is left to do, and does nothing', async () => {
    const before = collectedTables(whole);
    expect(await runSweep(whole, quiet)).toMatchObject({ cells: 9, done: 6, diverged: 3, failed: 0, left: 0 });
    await collectSweep(whole);
    expect(collectedTables(whole)).toEqual(before);
  });

  it.runIf(everything)(
    'gives a cell the same bits alone and among others, one after the other and at once',
    async () => {
      const other = join(parent, 'other');
      writePlan(other, request);
      expect(await runSweep(other, { ...quiet, index: 4 })).toMatchObject({ cells: 1, done: 1 });
      expect(sweepStatus(other).counts).toMatchObject({ done: 1, missing: 8 });
      await runSweep(other, { ...quiet, jobs: 3 });
      await collectSweep(other);
      expect(collectedTables(other)).toEqual(collectedTables(whole));
    },
  );

  it('is one table with a row for every planned cell, and data sets that pyarrow, polars and DuckDB read', async (context) => {
    const { rows } = await readTable(join(whole, 'sweep.parquet'));
    expect(rows.map(({ batch_size, learning_rate, state }) => [batch_size, learning_rate, state])).toEqual(
      [4, 8, 16].flatMap((b) => [0.05, 0.1, 1e30].map((eta) => [b, eta, eta > 1 ? 'diverged' : 'done'])),
    );
    const [cell] = sweepStatus(whole).cells;
    const own = await readTable(join(whole, 'cells', cell!.cell.id, 'loss.parquet'));
    expect(rows[0]).toMatchObject({ loss_test_accuracy: own.rows.at(-1)!.test_accuracy, loss_step: 12, attempts: 1 });

    const python = pythonOrSkip(context);
    const script = `
import sys, duckdb, polars, pyarrow.dataset
folder = sys.argv[1]
for table, column in [('loss', 'cell_learning_rate'), ('concentration', 'cell_batch_size')]:
    glob = f'{folder}/tables/{table}/*.parquet'
    a = pyarrow.dataset.dataset(f'{folder}/tables/{table}').to_table()
    b = polars.read_parquet(glob)
    c = duckdb.sql(f"select count(*), count(distinct {column}) from '{glob}'").fetchall()[0]
    print(table, a.num_rows, b.height, c[0], c[1], len(set(a[column].to_pylist())), b[column].n_unique())
`;
    const found = execFileSync(python, ['-c', script, whole], { encoding: 'utf8' });
    // Those that diverge have the rows up to there.
    expect(found).toMatch(/^loss (\d+) \1 \1 3 3 3\nconcentration (\d+) \2 \2 3 3 3\n$/);
  });

  it('goes on after kill -9, of a worker and of all, and leaves the same tables', async () => {
    const directory = join(parent, 'killed');
    writePlan(directory, request);
    const child = spawn(process.execPath, [program, 'sweep', 'run', directory, '--jobs', '2'], { stdio: 'ignore' });
    await until(() => resultsIn(directory) >= 2);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    // A worker goes when whoever asked is gone.
    await until(() => workers(directory).every((pid) => !existsSync(`/proc/${pid}`)));
    expect(resultsIn(directory)).toBeLessThan(9);
    expect(await runSweep(directory, quiet)).toMatchObject({ done: 6, diverged: 3, left: 0 });
    await collectSweep(directory);
    expect(collectedTables(directory)).toEqual(collectedTables(whole));
  });

  it('loses a cell whose process crashes, that one alone, and tries it again the next time', async () => {
    const directory = join(parent, 'crashed');
    const { cells } = writePlan(directory, endless);
    const child = spawn(process.execPath, [program, 'sweep', 'run', directory, '--jobs', '2']);
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await until(() => workers(directory).length === 2);
    expect(sweepStatus(directory).counts).toMatchObject({ running: 2, missing: 1 });
    process.kill(workers(directory)[0]!, 'SIGKILL');
    await until(() => said.includes('its process ended by SIGKILL'));
    await until(() => sweepStatus(directory).counts.running === 2);
    expect(sweepStatus(directory).counts).toMatchObject({ failed: 1, running: 2 });
    // Ctrl-C lets the others go.
    child.kill('SIGINT');
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(75);
    expect(sweepStatus(directory).counts).toMatchObject({ failed: 1, running: 0, missing: 2 });
    const [failed] = sweepStatus(directory).cells.filter(({ state }) => state === 'failed');
    expect(cells[failed!.cell.index]!.id).toBe(failed!.cell.id);
    await collectSweep(directory);
    const { rows } = await readTable(join(directory, 'sweep.parquet'));
    expect(rows.map(({ state }) => state).sort()).toEqual(['failed', 'missing', 'missing']);
  });

  it('goes on where nobody reads any more what it says', async () => {
    const directory = join(parent, 'unread');
    writePlan(directory, { pipeline: { ...pipeline, steps: 2 }, axes: { seed: [0, 1] } });
    const child = spawn(process.execPath, [program, 'sweep', 'run', directory, '--jobs', '1']);
    child.stdout.destroy();
    child.stderr.once('data', () => child.stderr.destroy());
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0);
    expect(sweepStatus(directory).counts).toMatchObject({ done: 2 });
  });

  it('leaves a cell to the process that is at work on it', async () => {
    const directory = join(parent, 'shared');
    writePlan(directory, { ...endless, axes: { seed: [0] } });
    const child = spawn(process.execPath, [program, 'sweep', 'run', directory], { stdio: 'ignore' });
    await until(() => workers(directory).length === 1);
    expect(await runSweep(directory, quiet)).toMatchObject({ done: 0, left: 1, stopped: false });
    child.kill('SIGTERM');
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(75);
  });

  it('refuses the folder of another sweep, a cell that is none, and a plan that is damaged', async () => {
    const before = readFileSync(join(whole, 'plan.jsonl'), 'utf8');
    expect(() => writePlan(whole, { ...request, axes: { seed: [0] } })).toThrow('holds the plan of another sweep');
    writePlan(whole, request);
    expect(readFileSync(join(whole, 'plan.jsonl'), 'utf8')).toBe(before);
    await expect(runSweep(whole, { index: 9 })).rejects.toThrow('there is no cell 9. The plan has 9, from 0 to 8');
    await expect(runSweep(join(parent, 'nowhere'))).rejects.toThrow('brink sweep plan');
    vi.stubEnv('BRINK_THREADS', '2');
    await expect(runSweep(whole)).rejects.toThrow('BRINK_THREADS is 2, and the sweep was planned with 1');
    vi.unstubAllEnvs();
    const damaged = join(parent, 'damaged');
    writePlan(damaged, request);
    writeFileSync(join(damaged, 'plan.jsonl'), before.split('\n').toSpliced(3, 1).join('\n'));
    expect(() => sweepStatus(damaged)).toThrow('is damaged: its cells are not those that were planned');
  });
});

describe('brink sweep', { timeout: 60_000 }, () => {
  it('plans, runs, shows and collects, and says by its exit code what is left', async () => {
    const grid = join(parent, 'grid.json');
    writeFileSync(grid, JSON.stringify({ pipeline: { ...pipeline, steps: 2 }, axes: { seed: [0, 1] } }));
    const out = join(parent, 'cli');
    expect((await brink(['sweep', 'plan', grid, '--out', out])).stdout).toContain('2 cells planned');
    const first = await brink(['sweep', 'run', out, '--index', 'auto'], { SLURM_ARRAY_TASK_ID: '1' });
    expect(first.stderr).toContain('cell 1, from SLURM_ARRAY_TASK_ID (Slurm)');
    expect(first).toMatchObject({ code: 0, stdout: '1 done, 0 diverged, 0 failed, 0 left\n' });
    expect((await brink(['sweep', 'status', out])).stdout).toContain('1 missing, 1 done');
    expect(await brink(['sweep', 'run', out])).toMatchObject({
      code: 0,
      stdout: '2 done, 0 diverged, 0 failed, 0 left\n',
    });
    expect((await brink(['sweep', 'collect', out])).stdout).toBe(
      `${['sweep.parquet', 'tables/concentration/*.parquet', 'tables/loss/*.parquet'].map((file) => join(out, file)).join('\n')}\n`,
    );
    expect((await brink(['sweep', 'plan', join(parent, 'none.json'), '--out', out])).code).toBe(2);
  });
});

describe('indexFromEnvironment', () => {
  it.each([
    ['SLURM_ARRAY_TASK_ID', '7', 7],
    ['JOB_COMPLETION_INDEX', '0', 0],
    ['SGE_TASK_ID', '1', 0],
    ['LSB_JOBINDEX', '3', 2],
    ['PBS_ARRAY_INDEX', '4', 4],
    ['PBS_ARRAYID', '5', 5],
    ['AWS_BATCH_JOB_ARRAY_INDEX', '0', 0],
    ['CLOUD_RUN_TASK_INDEX', '6', 6],
  ])('takes %s=%s for %i', (variable, value, index) => {
    expect(indexFromEnvironment({ [variable]: value, SGE_TASK_ID_: 'undefined' }).index).toBe(index);
  });

  it('fails on none, on two, and on what is no index', () => {
    expect(() => indexFromEnvironment({ SGE_TASK_ID: 'undefined', LSB_JOBINDEX: '0' })).toThrow('finds no array job');
    expect(() => indexFromEnvironment({ SLURM_ARRAY_TASK_ID: '1', PBS_ARRAY_INDEX: '1' })).toThrow(
      'which may name two',
    );
    expect(() => indexFromEnvironment({ SLURM_ARRAY_TASK_ID: 'x' })).toThrow("'x', which is no index");
  });
});
