import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { extname, join } from 'node:path';
import { BrinkError, requireInteger } from '../core/errors.ts';
import { requireNames } from '../core/requireNames.ts';
import { MACHINE, VERSIONS } from '../files/versions.ts';
import { outliveClosedPipes } from '../runs/outliveClosedPipes.ts';
import type { Cell } from './planSweep.ts';
import { SweepFolder } from './SweepFolder.ts';
import { requireUnchanged } from './sweepModule.ts';
import type { CellReport } from './sweepWorker.ts';
import { threadsOf } from './threadsOf.ts';

const WHO = 'sweep';
/** So much of what a process said last is told of it where it crashes, in characters. */
const LAST_WORDS = 2000;
/** What a shell says of a process that a signal stopped. */
const STOPPED = [130, 140, 143];
/** SIGUSR2 is what Slurm sends before a time limit. SIGUSR1 would open Node.js to a debugger. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGUSR2'] as const;

export interface RunSweepOptions {
  /** Cells at once, each in a process of its own. Default: as many as there are cores. */
  readonly jobs?: number;
  /** The only cell to run, or the first and the last of some, as far as the plan goes. Default: all. */
  readonly index?: number | readonly [first: number, last: number];
  /** Whether to write a line a cell to standard error. Default: true. */
  readonly progress?: boolean;
}

/** How a sweep stands when `runSweep` returns. */
export interface SweepSummary {
  readonly directory: string;
  readonly cells: number;
  /** By their state: of those that were asked for. */
  readonly done: number;
  readonly diverged: number;
  readonly failed: number;
  /** Not ended: stopped by a signal before, or another process is at work on them. */
  readonly left: number;
  /** Whether a signal came. */
  readonly stopped: boolean;
}

/**
 * Runs the cells of a planned sweep that have not ended, several at once; called again, it goes on.
 *
 * Each process runs one cell after the other on as many threads as the plan says, so that a cell has the same bits
 * alone and among others. That a cell diverges is a result; one that fails, or brings its process down, costs
 * itself alone, and is tried again the next time. SIGINT, SIGTERM and SIGUSR2 let the cells at work go; these go on
 * from their last checkpoint, where the plan has one, or begin anew.
 *
 * A cell is claimed by a file with host, process and heartbeat: several processes, also on several machines that share
 * the folder, run one sweep together.
 *
 * @param directory The folder that `brink sweep plan` has made.
 * @param options `jobs` (cores), `index` (all), `progress` (true).
 * @throws BrinkError as a rejection where there is no plan, or no such cell, BRINK_THREADS is not the
 *   plan's number of threads, or the plan's module has changed.
 */
export async function runSweep(directory: string, options: RunSweepOptions = {}): Promise<SweepSummary> {
  requireNames(WHO, options, ['jobs', 'index', 'progress']);
  const { jobs = availableParallelism(), index, progress = true } = options;
  requireInteger(WHO, 'jobs', jobs, 1);
  outliveClosedPipes();
  const folder = new SweepFolder(directory);
  const plan = folder.read();
  const { cells, planHash } = plan;
  const threads = threadsOf(plan);
  if (plan.module) requireUnchanged(plan.module);
  const [first, last] = typeof index === 'object' ? index : [index ?? 0, index ?? cells.length - 1];
  requireInteger(WHO, 'index', first, 0);
  requireInteger(WHO, 'index', last, first);
  if (!cells[first]) {
    throw new BrinkError(
      WHO,
      `there is no cell ${first}. The plan has ${cells.length}, from 0 to ${cells.length - 1}.`,
    );
  }
  const asked = cells.slice(first, last + 1);
  const queue = asked.filter(({ id }) => !folder.hasEnded(id));
  const begun = performance.now();
  const all = queue.length;
  const workers = new Set<ChildProcess>();
  let ended = asked.length - all;
  let stopped = false;

  const tell = (cell: Cell, { outcome, error }: Pick<CellReport, 'outcome' | 'error'>) => {
    ended++;
    if (!progress) return;
    const left = asked.length - ended;
    const seconds = ((performance.now() - begun) / 1000 / (ended - asked.length + all)) * left;
    const params = Object.entries(cell.params).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
    const why = error === null ? '' : `: ${error}`;
    process.stderr.write(
      `[${ended}/${asked.length}] ${outcome}  ${params.join(', ')}${why}${left > 0 ? `  (about ${duration(seconds)} left)` : ''}\n`,
    );
  };

  /** One worker after the other, until nothing is left to do. */
  async function work(): Promise<void> {
    let worker: Worker | null = null;
    try {
      for (let cell = queue.shift(); cell !== undefined && !stopped; cell = queue.shift()) {
        worker ??= startWorker(folder.directory, threads, workers);
        const report = await worker.run(cell.index);
        if (!('crashed' in report)) {
          if (report.outcome !== 'stopped') tell(cell, report);
          continue;
        }
        worker = null;
        if (stopped || STOPPED.includes(report.code ?? 0)) {
          stopped = true;
          return;
        }
        const error = `its process ended ${report.crashed}`;
        const attempts = folder.attemptsOf(cell);
        folder.commit({
          ...{ index: cell.index, id: cell.id, planHash, state: 'failed', attempts, seconds: report.seconds },
          ...{
            steps: 0,
            error,
            metrics: {},
            brink: VERSIONS.brink,
            engine: null,
            inputHash: null,
            processor: MACHINE.processor,
          },
        });
        tell(cell, { outcome: 'failed', error });
      }
    } catch (error) {
      // What can't be written for this cell can't be for the next: those at work end, and no other begins.
      queue.length = 0;
      throw error;
    } finally {
      worker?.end();
    }
  }

  const stop = () => {
    if (stopped) for (const worker of workers) worker.kill('SIGKILL');
    stopped = true;
    for (const worker of workers) worker.kill('SIGTERM');
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  try {
    const ends = await Promise.allSettled(Array.from({ length: Math.min(jobs, all) }, work));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop);
  }
  const states = asked.map(({ id }) => folder.resultOf(id)?.state);
  const count = (state: string) => states.filter((own) => own === state).length;
  return {
    directory: folder.directory,
    cells: asked.length,
    ...{ done: count('done'), diverged: count('diverged'), failed: count('failed') },
    left: states.filter((state) => state === undefined).length,
    stopped,
  };
}

/** A process that runs cells, and how it ended where it did not answer. */
interface Worker {
  run(
    index: number,
  ): Promise<CellReport | { readonly crashed: string; readonly code: number | null; readonly seconds: number }>;
  end(): void;
}

function startWorker(directory: string, threads: number, all: Set<ChildProcess>): Worker {
  const program = join(import.meta.dirname, `sweepWorker${extname(import.meta.filename)}`);
  const child = fork(program, [directory], {
    env: { ...process.env, BRINK_THREADS: String(threads) },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // In a group of its own: Ctrl-C comes to this process, which passes it on once.
    detached: true,
  });
  all.add(child);
  let words = '';
  const hear = (text: string) => {
    words = (words + text).slice(-LAST_WORDS);
  };
  child.stderr!.setEncoding('utf8').on('data', hear);
  // Where it can't be started, or is gone before it hears of a cell; it closes then.
  child.on('error', ({ message }) => hear(message));
  const closed = new Promise<readonly [code: number | null, signal: string | null]>((resolve) => {
    child.once('close', (code, signal) => {
      all.delete(child);
      resolve([code, signal]);
    });
  });
  return {
    run: (index) => {
      const begun = performance.now();
      // What it said of the cell before is not about this one.
      words = '';
      return new Promise((resolve) => {
        const onReport = (report: CellReport) => {
          // A program that is a cell may send messages of its own.
          if (report?.index !== index) return;
          child.off('message', onReport as never);
          resolve(report);
        };
        child.on('message', onReport as never);
        closed.then(([code, signal]) => {
          child.off('message', onReport as never);
          const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
          const last = words.trimEnd().split('\n').slice(-3).join(' ');
          const seconds = (performance.now() - begun) / 1000;
          resolve({ crashed: last === '' ? how : `${how}: ${last}`, code: codeOf(signal) ?? code, seconds });
        });
        if (child.connected) child.send(index);
      });
    },
    end: () => {
      if (child.connected) child.disconnect();
    },
  };
}

/** What a shell says of a process that a signal stopped before it could listen. */
const codeOf = (signal: string | null) => (signal === 'SIGTERM' ? 143 : signal === 'SIGUSR2' ? 140 : null);

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
