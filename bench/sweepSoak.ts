// Whether a sweep of a thousand tiny cells loses or doubles one, while every three seconds a process that is at work on
// one is killed: on this machine, and on a Slurm of three nodes on it, where that is installed.
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { collectSweep } from '../src/sweep/collectSweep.ts';
import { SweepFolder } from '../src/sweep/SweepFolder.ts';
import { submitSweep } from '../src/sweep/submitSweep.ts';
import { writePlan } from '../src/sweep/writePlan.ts';
import { readTable } from '../src/tables/readTable.ts';
import { missingPrograms, SlurmCluster } from '../test/helpers/SlurmCluster.ts';
import { conditions } from './conditions.ts';
import { markdownTable } from './markdownTable.ts';

const { values } = parseArgs({ options: { cells: { type: 'string', default: '1000' } } });
const COUNT = Number(values.cells);
const JOBS = 2;
/** Between two kills, in milliseconds. */
const KILL_EVERY = 3000;
/** A cell that is killed whenever it is begun never ends. */
const MOST_KILLS = 2;
const CELLS_PER_TASK = 50;
const STEPS = [0, 5, 10];

const program = join(import.meta.dirname, '../src/cli/brink.ts');
const parent = mkdtempSync(join(tmpdir(), 'brink-soak-'));

/** How a sweep went. */
interface Soaked {
  readonly seconds: number;
  /** How often the sweep was run, or submitted. */
  readonly rounds: number;
  readonly kills: number;
  /** Cells without a result, a row or a step. */
  readonly lost: number;
  /** Cells that were begun more often than they were killed, and once. */
  readonly doubled: number;
}

async function soak(name: string, round: (directory: string) => Promise<void>): Promise<Soaked> {
  const directory = join(parent, name);
  const { cells } = writePlan(directory, {
    pipeline: {
      data: { name: 'digits', train: 32 },
      model: { name: 'mlp', hidden: [4] },
      ...{ learningRate: 0.1, steps: STEPS.at(-1)!, probes: [{ name: 'trainingLoss', every: 5 }] },
    },
    axes: { seed: Array.from({ length: COUNT }, (_, k) => k) },
  });
  const folder = new SweepFolder(directory);
  const killed = new Map<string, number>();
  const begun = performance.now();
  let rounds = 0;
  for (; cells.some(({ id }) => !folder.hasEnded(id)); rounds++) {
    const ended = new AbortController();
    const killing = killNowAndThen(directory, killed, ended.signal);
    await round(directory);
    ended.abort();
    await killing;
  }
  const seconds = (performance.now() - begun) / 1000;
  const { counts } = await collectSweep(directory);
  const { rows } = await readTable(join(directory, 'sweep.parquet'));
  let lost = COUNT - counts.done;
  let doubled = 0;
  for (const [k, { id }] of cells.entries()) {
    const table = await readTable(join(directory, 'tables', 'loss', `${id}.parquet`));
    const isWhole = rows[k]!.cell_id === id && String(table.rows.map(({ step }) => step)) === String(STEPS);
    if (!isWhole) lost++;
    if (folder.attemptsOf({ id }) > 1 + (killed.get(id) ?? 0)) doubled++;
  }
  const kills = [...killed.values()].reduce((sum, n) => sum + n, 0);
  return { seconds, rounds, kills, lost, doubled };
}

/** Kills a process that is at work on a cell, again and again, and counts for which cell. */
async function killNowAndThen(directory: string, killed: Map<string, number>, ended: AbortSignal): Promise<void> {
  const cells = join(directory, 'cells');
  const locks = () => readdirSync(cells).filter((name) => /^\w+\.lock$/.test(name));
  const holder = (lock: string): number | null => {
    try {
      return JSON.parse(readFileSync(join(cells, lock), 'utf8')).pid;
    } catch {
      return null;
    }
  };
  const killHolder = (lock: string): boolean => {
    const pid = holder(lock);
    if (pid === null) return false;
    try {
      // It may have come to another cell by now: it stands still while it is looked at which.
      process.kill(pid, 'SIGSTOP');
      const own = locks().find((name) => holder(name) === pid);
      const id = own?.slice(0, -'.lock'.length) ?? '';
      const isSpared = own === undefined || (killed.get(id) ?? 0) >= MOST_KILLS;
      process.kill(pid, isSpared ? 'SIGCONT' : 'SIGKILL');
      if (!isSpared) killed.set(id, (killed.get(id) ?? 0) + 1);
      return !isSpared;
    } catch {
      // It has ended: a lock that is left over.
      return false;
    }
  };
  while (!ended.aborted) {
    await sleep(KILL_EVERY, null, { signal: ended }).catch(() => {});
    while (!ended.aborted && !locks().some(killHolder)) await sleep(5);
  }
}

const onThisMachine = (directory: string) =>
  new Promise<void>((resolve) => {
    execFile(process.execPath, [program, 'sweep', 'run', directory, '--jobs', String(JOBS)], () => resolve());
  });

async function onSlurm(cluster: SlurmCluster, directory: string): Promise<void> {
  submitSweep(directory, { cellsPerTask: CELLS_PER_TASK, atOnce: 1 });
  await cluster.until('the queue is empty', () => cluster.isIdle, 3600);
}

const row = (name: string, { seconds, rounds, kills, lost, doubled }: Soaked) => [
  name,
  String(COUNT),
  String(kills),
  String(rounds),
  String(lost),
  String(doubled),
  seconds.toFixed(0),
  (COUNT / seconds).toFixed(1),
];

try {
  const rows = [row(`${JOBS} processes`, await soak('local', onThisMachine))];
  const missing = missingPrograms();
  if (missing.length > 0) console.log(`Without Slurm: no ${missing.join(', ')}.`);
  else {
    const cluster = await SlurmCluster.start(join(parent, 'slurm'));
    Object.assign(process.env, cluster.env);
    try {
      const soaked = await soak('slurm', (directory) => onSlurm(cluster, directory));
      rows.push(row(`Slurm, tasks of ${CELLS_PER_TASK} cells`, soaked));
    } finally {
      await cluster.stop();
    }
  }
  const heads = ['where', 'cells', 'killed', 'rounds', 'lost', 'doubled', 'seconds', 'cells a second'];
  console.log(`${conditions([])}\n\n${markdownTable(heads, rows)}`);
} finally {
  rmSync(parent, { recursive: true, force: true });
}
