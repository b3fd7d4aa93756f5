import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { collectSweep, readTable, runSweep, type SweepRequest, sweepStatus, writePlan } from '../../src/index.ts';
import { brink } from '../cli/brinkProcess.ts';
import { collectedTables } from '../helpers/collectedTables.ts';
import { everything } from '../helpers/everything.ts';
import { missingPrograms, SlurmCluster, slurmOrSkip } from '../helpers/SlurmCluster.ts';

/** Five cells that take seconds, with probes that carry something from step to step. */
const request: SweepRequest = {
  pipeline: {
    data: { name: 'digits', train: 48, test: 16 },
    model: { name: 'mlp', hidden: [6], activation: 'relu' },
    ...{ learningRate: 0.05, steps: 2500, batchSize: 8 },
    probes: [
      { name: 'trainingLoss', every: 70 },
      { name: 'topEigenvalues', every: 90 },
    ],
  },
  checkpoint: { every: 100 },
  axes: { seed: [0, 1, 2, 3, 4] },
};
/** Bytes of a step in a checkpoint: θ alone, of 460 weights. */
const STEP = 4 * 460;

let parent: string;
let whole: string;
let cluster: SlurmCluster | null = null;
beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), 'brink-slurm-'));
  if (missingPrograms().length > 0) return;
  [cluster] = await Promise.all([SlurmCluster.start(join(parent, 'slurm')), local()]);
}, 120_000);
afterAll(async () => {
  await cluster?.stop();
  // Tasks of a node that was killed outlive it, and where a test fails before they end, the cluster too.
  spawnSync('pkill', ['-KILL', '-f', parent]);
  rmSync(parent, { recursive: true, force: true });
}, 120_000);
beforeEach(slurmOrSkip);

/** The same sweep, uninterrupted and without Slurm. */
async function local(): Promise<void> {
  whole = join(parent, 'whole');
  writePlan(whole, request);
  await runSweep(whole, { jobs: 2, progress: false });
  await collectSweep(whole);
}

const submit = (directory: string, ...options: readonly string[]) =>
  brink(['sweep', 'submit', directory, '--slurm', ...options], cluster!.env);
const jobsOf = ({ stdout }: { readonly stdout: string }) => [...stdout.matchAll(/^job (\d+)/gm)].map(([, job]) => job!);
/**
 * Stops the process that is at work on a cell once it has checkpoints, so that it stands still while Slurm is asked.
 */
async function hold(directory: string, { id }: { readonly id: string }): Promise<() => void> {
  await cluster!.until(`cell ${id} has checkpoints`, () => checkpoint(directory, id) > 8 * STEP);
  const pid = workerOf(directory, { id });
  process.kill(pid, 'SIGSTOP');
  return () => process.kill(pid, 'SIGCONT');
}
const checkpoint = (directory: string, id: string) =>
  statSync(join(directory, 'cells', id, 'checkpoint.arrows'), { throwIfNoEntry: false })?.size ?? 0;
const workerOf = (directory: string, { id }: { readonly id: string }): number =>
  JSON.parse(readFileSync(join(directory, 'cells', `${id}.lock`), 'utf8')).pid;
const hasGoneOn = (directory: string, id: string) =>
  existsSync(join(directory, 'cells', `${id}.2`, 'run.json')) &&
  JSON.parse(readFileSync(join(directory, 'cells', `${id}.2`, 'run.json'), 'utf8')).resumed.step > 0;

describe('a sweep on Slurm', { timeout: 300_000 }, () => {
  it('is split, signalled, requeued, killed and submitted again, and has the bits of a local one', async () => {
    const slurm = cluster!;
    const directory = join(parent, 'a sweep');
    const { cells } = writePlan(directory, request);
    const first = await submit(directory, '--time', '10', '--at-once', '4', '--sbatch', '--nice=0');
    // An array of this cluster has four tasks at most.
    const [a] = jobsOf(first);
    expect(first.stdout).toMatch(
      /^job \d+: 4 tasks\njob \d+: 1 task\n5 cells submitted, 0 in the queue before, 0 ended\n$/,
    );
    expect((await submit(directory)).stdout).toBe('0 cells submitted, 5 in the queue before, 0 ended\n');

    const [release] = await Promise.all([hold(directory, cells[0]!), hold(directory, cells[1]!)]);
    // As Slurm does it before a time limit: to all processes of the step.
    slurm.run('scancel', '--signal=USR2', `${slurm.task(a!, 0, '%A')}.0`);
    release();
    // The worker alone: the task says that its cell failed.
    process.kill(workerOf(directory, cells[1]!), 'SIGKILL');
    await slurm.hurry(a!, 0);
    await slurm.until('task 1 has failed', () => slurm.task(a!, 1, '%T') === 'FAILED');
    await slurm.until('the queue is empty', () => slurm.isIdle);
    expect(sweepStatus(directory).counts).toMatchObject({ done: 4, failed: 1 });
    expect((await submit(directory)).stdout).toMatch(
      /^job \d+: 1 task\n1 cells submitted, 0 in the queue before, 4 ended\n$/,
    );
    await slurm.until('all cells are done', () => sweepStatus(directory).counts.done === 5);
    expect((await submit(directory)).stdout).toBe('0 cells submitted, 0 in the queue before, 5 ended\n');

    await collectSweep(directory);
    expect(collectedTables(directory)).toEqual(collectedTables(whole));
    expect([0, 1].map((k) => hasGoneOn(directory, cells[k]!.id))).toEqual([true, true]);
    const { rows } = await readTable(join(directory, 'sweep.parquet'));
    expect(rows.map(({ attempts }) => attempts)).toEqual([2, 2, 1, 1, 1]);
    // A log for each task of the two arrays, and for that of the third.
    expect(readdirSync(join(directory, 'slurm'))).toHaveLength(6);
  });

  it.runIf(everything)('loses a node while its tasks live on, and runs no cell twice at once', async () => {
    const slurm = cluster!;
    const directory = join(parent, 'lost');
    const { cells } = writePlan(directory, { ...request, axes: { seed: [0, 1, 2] } });
    const [a] = jobsOf(await submit(directory, '--cells-per-task', '2'));
    const release = await hold(directory, cells[0]!);
    const node = slurm.task(a!, 0, '%N');
    const there = [0, 1].filter((task) => slurm.task(a!, task, '%N') === node);
    await slurm.killNode(node);
    // The other may have ended meanwhile.
    const lost = there.filter((task) => slurm.task(a!, task, '%T') !== 'COMPLETED');
    for (const task of lost) await slurm.hurry(a!, task);
    // The old task still has its cell; the new one does what else there is.
    await slurm.until('two cells are done', () => sweepStatus(directory).counts.done === 2);
    expect(sweepStatus(directory).counts).toMatchObject({ done: 2, running: 1 });
    release();
    await slurm.until('all cells are done', () => sweepStatus(directory).counts.done === 3);
    await collectSweep(directory);
    const tables = collectedTables(directory);
    expect(Object.keys(tables)).toHaveLength(2 * 3);
    expect(collectedTables(whole)).toMatchObject(tables);
    const { rows } = await readTable(join(directory, 'sweep.parquet'));
    expect(rows.map(({ attempts }) => attempts)).toEqual([1, 1, 1]);
    slurm.run('scancel', a!);
    slurm.startNode(node);
    await slurm.until('the node is back', () => slurm.nodeState(node) === 'idle');
  });

  it.runIf(everything)('leaves a task alone that was cancelled, until it is submitted again', async () => {
    const slurm = cluster!;
    const directory = join(parent, 'cancelled');
    const { cells } = writePlan(directory, { ...request, axes: { seed: [0, 1] } });
    const [a] = jobsOf(await submit(directory));
    const release = await hold(directory, cells[1]!);
    slurm.run('scancel', `${a}_1`);
    release();
    await slurm.until('the queue is empty', () => slurm.isIdle);
    expect(slurm.task(a!, 1, '%T')).toBe('CANCELLED');
    expect(sweepStatus(directory).counts).toMatchObject({ done: 1, missing: 1 });
    expect((await submit(directory)).stdout).toContain('1 cells submitted');
    await slurm.until('all cells are done', () => sweepStatus(directory).counts.done === 2);
    expect(hasGoneOn(directory, cells[1]!.id)).toBe(true);
  });

  it.runIf(everything)('comes to its time limit, is told before it, and goes on in the queue', async () => {
    const slurm = cluster!;
    const directory = join(parent, 'limited');
    const [cell] = writePlan(directory, { ...request, axes: { seed: [0] } }).cells;
    const [a] = jobsOf(await submit(directory, '--time', '10', '--grace', '55'));
    await hold(directory, cell!);
    // Slurm looks at limits every half minute, tells as early as that, and lets what stands still go on.
    slurm.run('scontrol', 'update', `JobId=${a}_0`, 'TimeLimit=1');
    await slurm.until('the task waits', () => slurm.task(a!, 0, '%T').startsWith('PENDING'), 60);
    await slurm.hurry(a!, 0);
    await slurm.until('the cell is done', () => sweepStatus(directory).counts.done === 1);
    await expectWhole(directory, cell!);
  });

  it.runIf(everything)(
    'makes room for what is more urgent, waits in the queue, which status says, and goes on',
    async () => {
      const slurm = cluster!;
      const directory = join(parent, 'preempted');
      const [cell] = writePlan(directory, { ...request, axes: { seed: [0] } }).cells;
      const [a] = jobsOf(await submit(directory));
      await hold(directory, cell!);
      // Slurm itself lets the processes of a task go on as it tells them to end.
      const where = ['--partition=urgent', `--nodelist=${slurm.task(a!, 0, '%N')}`, '--exclusive'];
      const urgent = slurm.run('sbatch', '--parsable', '--output=/dev/null', ...where, '--wrap', 'sleep 600');
      await slurm.until('the task waits', () => slurm.task(a!, 0, '%T').startsWith('PENDING'));
      await slurm.until('its processes have ended', () => sweepStatus(directory).counts.running === 0);
      expect(sweepStatus(directory).counts).toMatchObject({ missing: 1, queued: 0 });
      const said = (await brink(['sweep', 'status', directory], slurm.env)).stdout;
      expect(said).toMatch(/^seed\n +0 +q$/m);
      expect(said).toContain('1 queued');
      const without = await brink(['sweep', 'status', directory, '--json'], { ...slurm.env, PATH: '/nowhere' });
      expect(JSON.parse(without.stdout).counts).toMatchObject({ missing: 1, queued: 0 });
      expect(without.stderr).toContain('Which cells wait in the queue is not known.');
      slurm.run('scancel', urgent);
      await slurm.hurry(a!, 0);
      await slurm.until('the cell is done', () => sweepStatus(directory).counts.done === 1);
      await expectWhole(directory, cell!);
    },
  );
});

/** One cell that was stopped and has gone on, with the bits of one that never was. */
async function expectWhole(directory: string, { id }: { readonly id: string }): Promise<void> {
  await collectSweep(directory);
  const tables = collectedTables(directory);
  expect(Object.keys(tables)).toHaveLength(2);
  expect(collectedTables(whole)).toMatchObject(tables);
  expect(hasGoneOn(directory, id)).toBe(true);
  const { rows } = await readTable(join(directory, 'sweep.parquet'));
  expect(rows.map(({ attempts }) => attempts)).toEqual([2]);
}
