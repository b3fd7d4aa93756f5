import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { BrinkError, requireInteger } from '../core/errors.ts';
import { requireNames } from '../core/requireNames.ts';
import { FileLock } from '../files/FileLock.ts';
import { makeFolders } from '../files/makeFolders.ts';
import { sayingWhy } from '../files/sayingWhy.ts';
import { queuedCells, sweepMark } from './queuedCells.ts';
import { SweepFolder } from './SweepFolder.ts';
import { hasSlurm, maxArraySize, submitScript } from './slurmCommands.ts';
import { type SlurmArray, slurmScript } from './slurmScript.ts';
import { requireUnchanged } from './sweepModule.ts';
import { threadsOf } from './threadsOf.ts';

const WHO = 'sweep';
/** What Slurm takes for a time: minutes, or with hours, days and seconds. */
const TIME = /^(\d+-)?\d+(:\d+){0,2}$/;

export interface SubmitOptions {
  /** The time limit of a task, as Slurm writes it (`90`, `12:00:00`). Default: that of the partition. */
  readonly time?: string;
  /** How long before it a task is told to stop, in seconds. Default: 120. */
  readonly grace?: number;
  /** Tasks at once. Default: as many as Slurm gives. */
  readonly atOnce?: number;
  /** Cells that one task runs, one after the other. Default: 1. */
  readonly cellsPerTask?: number;
  /** How often a task that was stopped goes back into the queue by itself. Default: 20. */
  readonly requeues?: number;
  /** More options of sbatch: `['--partition=gpu', '--gres=gpu:1']`. */
  readonly sbatch?: readonly string[];
  /** Makes the scripts and submits nothing. Default: false. */
  readonly print?: boolean;
}

/** One array job of a sweep. */
export interface SubmittedJob {
  /** Its number; null where nothing was submitted. */
  readonly job: string | null;
  readonly script: string;
  readonly tasks: number;
}

/** What was submitted, and what was not. */
export interface SubmittedSweep {
  /** Empty where every cell has ended or is in the queue. Several where one array can't have so many tasks. */
  readonly jobs: readonly SubmittedJob[];
  /** Cells that the jobs are to run. */
  readonly cells: number;
  /** Cells that have not ended and that tasks in the queue are to run. */
  readonly queued: number;
  /** Cells that have ended: they are done, or diverged. */
  readonly ended: number;
}

/**
 * Submits the cells of a planned sweep that have neither ended nor wait in the queue, as array jobs of Slurm.
 *
 * Which cells wait or run Slurm is asked, by the names of the jobs; nothing is kept beside it. A cell is claimed by a
 * file as in `runSweep`, so that none is run twice, whatever was submitted. A task that is stopped before its time
 * limit or by a preemption goes back into the queue, and its cells go on from their checkpoints, where the plan has
 * them. What was killed or has failed is submitted again by the next call.
 *
 * The jobs run with the environment, the working folder and the Node.js of this process, and as many threads a task as
 * the plan says.
 *
 * Cost: Slurm starts a few tasks a second: let one last half a minute at least (`cellsPerTask`).
 *
 * @param directory The folder that `brink sweep plan` has made, on a file system that all nodes share.
 * @param options `time` (the partition's), `grace` (120), `atOnce` (all), `cellsPerTask` (1), `requeues` (20), `sbatch`
 *   ([]), `print` (false).
 * @throws BrinkError where there is no plan, Slurm's commands are missing or refuse, or another process is submitting.
 */
export function submitSweep(directory: string, options: SubmitOptions = {}): SubmittedSweep {
  requireNames(WHO, options, ['time', 'grace', 'atOnce', 'cellsPerTask', 'requeues', 'sbatch', 'print']);
  const { time = null, grace = 120, atOnce = null, cellsPerTask = 1, requeues = 20, sbatch = [], print } = options;
  if (time !== null && !TIME.test(time)) {
    throw new BrinkError(WHO, `time is '${time}'. Slurm takes minutes, hours:minutes:seconds or days-hours.`);
  }
  requireInteger(WHO, 'grace', grace, 0);
  if (atOnce !== null) requireInteger(WHO, 'atOnce', atOnce, 1);
  requireInteger(WHO, 'cellsPerTask', cellsPerTask, 1);
  requireInteger(WHO, 'requeues', requeues, 0);
  const wrong = sbatch.find((option) => !/^-\S/.test(option) || option.includes('\n'));
  if (wrong !== undefined) {
    throw new BrinkError(WHO, `'${wrong}' is no option of sbatch. One looks like '--partition=gpu'.`);
  }
  const folder = new SweepFolder(directory);
  const plan = folder.read();
  const threads = threadsOf(plan);
  if (plan.module) requireUnchanged(plan.module);
  const lock = print ? null : lockOf(folder);
  try {
    const mark = sweepMark(folder.directory, plan);
    const busy = !print || hasSlurm() ? queuedCells(folder.directory, plan) : new Set<number>();
    const open = plan.cells.filter(({ id }) => !folder.hasEnded(id)).map(({ index }) => index);
    const left = open.filter((index) => !busy.has(index));
    const tasks = [...new Set(left.map((index) => Math.floor(index / cellsPerTask)))];
    const most = tasks.length === 0 ? 1 : maxArraySize();
    // Slurm makes no folder for what a task says.
    makeFolders(join(folder.directory, 'slurm'));
    const jobs = [...Map.groupBy(tasks, (task) => Math.floor(task / most))].map(([part, own]): SubmittedJob => {
      const offset = part * most;
      const array: SlurmArray = {
        ...{ directory: folder.directory, mark, offset, tasks: own.map((task) => task - offset) },
        ...{ cellsPerTask, threads, time, grace, atOnce, requeues, sbatch },
      };
      const script = slurmScript(array);
      return { job: print ? null : submitScript(script), script, tasks: own.length };
    });
    const queued = open.length - left.length;
    return { jobs, cells: left.length, queued, ended: plan.cells.length - open.length };
  } finally {
    lock?.release();
  }
}

/** Of two that submit at once, neither would see the other's jobs. */
function lockOf({ directory }: SweepFolder): FileLock {
  if (!existsSync(directory)) throw new BrinkError(WHO, `there is no folder ${directory}. Name that of a sweep.`);
  const lock = sayingWhy(WHO, `${directory} can't be written`, 'Copy the sweep to where it can be.', () =>
    FileLock.take(join(directory, 'submit')),
  );
  if (lock instanceof FileLock) return lock;
  throw new BrinkError(
    WHO,
    `process ${lock.pid} on ${lock.host} is submitting this sweep. Wait for its end, and submit what it left.`,
  );
}
