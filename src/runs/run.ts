import { hostname } from 'node:os';
import { destination, type Logger, pino } from 'pino';
import { catchError, merge, type Observable, Subject, takeUntil, tap } from 'rxjs';
import packageJson from '../../package.json' with { type: 'json' };
import { BrinkError, DivergedError } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import type { Step } from '../core/Step.ts';
import type { StepSource } from '../core/StepSource.ts';
import { withRunContext } from '../files/runContext.ts';
import { whenAborted } from '../operators/whenAborted.ts';
import { heedSignals } from './heedSignals.ts';
import { RunFolder } from './RunFolder.ts';
import { showProgress } from './showProgress.ts';

/** What one branch makes of the steps: operators, probes, sinks. */
export type Branch = (steps: Observable<Step>) => Observable<unknown>;

export interface RunOptions {
  /** The run's folder, made where it is missing; default 'output'. */
  readonly directory?: string;
  /** Whether to remove the run that the folder holds: the files listed in its run.json, nothing else; default false. */
  readonly overwrite?: boolean;
  /** Goes into run.json and every table, under the key `user`. */
  readonly metadata?: JsonObject;
  /** Whether step, loss and time left are shown on standard error: a bar on a terminal, else lines; default true. */
  readonly progress?: boolean;
  /** Ends the source when aborted: the step at hand is measured to its end, and the tables finish. */
  readonly signal?: AbortSignal;
  /**
   * What SIGINT (Ctrl-C) and SIGTERM do; default 'exit'. The first stops the run after the product at hand and finishes the tables; then
   * 'exit' ends the process with 130 or 143, and 'stop' sets that exit code and lets the program go on, with the runs that it still
   * begins stopped at once. The second signal ends the process. 'ignore': they are not listened to. A signal that the program itself
   * listens to when the run begins is left to it, and afterwards nothing is listened to.
   */
  readonly signals?: 'exit' | 'stop' | 'ignore';
}

/**
 * How a run ended. `finished`: the source ended, or every branch did, without an error. `diverged`: the source ended with a
 * DivergedError. `stopped`: by the signal, the program's or the
 * process's. `failed`: the source or a branch ended with another error.
 */
export type RunState = 'finished' | 'diverged' | 'stopped' | 'failed';

/** What came out of one branch. */
export interface BranchSummary {
  /** How many values it emitted: rows, where it ends in a probe or a sink. */
  readonly rows: number;
  /** Its own error; what the source ended with stands in the run's summary alone. */
  readonly error?: Error;
}

export interface RunSummary {
  readonly state: RunState;
  /** The run's folder as an absolute path. */
  readonly directory: string;
  /** How many steps the source emitted. */
  readonly steps: number;
  /** Wall time. */
  readonly seconds: number;
  readonly branches: Readonly<Record<string, BranchSummary>>;
  /** What the source ended with, where it failed or diverged. */
  readonly error?: Error;
}

/**
 * Runs a source into branches, with one subscription to the source, and resolves once every branch has ended.
 *
 * Each branch gets every step; a throttle in it makes it rarer. An error in one branch ends that branch alone. A branch that
 * ends early lets go of the source, and once all have, the source is unsubscribed. Where the source fails or diverges the tables
 * finish, and the error stands in the summary. Wherever something failed or diverged it is written to standard error and
 * `process.exitCode` becomes 1.
 *
 * In `directory` it writes `run.json` (versions, source, metadata, state, rows and errors of each branch, the files of
 * the run; rewritten in one stroke as the run begins and ends) and `log.jsonl`. Sinks within branches find the folder and the
 * metadata by themselves. That a run finished does not say that what it measured converged: the tables do.
 *
 * Cost: none beyond the source and the branches.
 *
 * @param steps A source of this library, or any observable of steps.
 * @param branches By name; at least one.
 * @param options `directory`, `overwrite`, `metadata`, `progress`, `signal`, `signals`.
 * @throws BrinkError as a rejection, before any step is taken: no branch, a folder that holds a run; and whatever a branch throws
 *   while it is put together.
 */
export async function run(
  steps: Observable<Step> & Partial<Pick<StepSource, 'total' | 'metadata' | 'reads'>>,
  branches: Readonly<Record<string, Branch>>,
  options: RunOptions = {},
): Promise<RunSummary> {
  const { signals = 'exit' } = options;
  const setCode = (code: number) => {
    process.exitCode = code;
  };
  const heeded = signals === 'ignore' ? undefined : heedSignals(signals === 'exit' ? process.exit : setCode);
  try {
    return await runUntil(heeded?.stopped, steps, branches, options);
  } finally {
    heeded?.release();
  }
}

async function runUntil(
  stopped: AbortSignal | undefined,
  steps: Parameters<typeof run>[0],
  branches: Parameters<typeof run>[1],
  options: RunOptions,
): Promise<RunSummary> {
  const { directory = 'output', overwrite = false, progress = true, signal } = options;
  if (Object.keys(branches).length === 0) {
    throw new BrinkError('run', 'there is no branch. Without one no step would be taken; name at least one.');
  }
  const hub = new Subject<Step>();
  const outputs = Object.entries(branches).map(([name, branch]) => [name, branch(hub)] as const);

  const metadata: JsonObject = {
    brink: packageJson.version,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    source: steps.metadata ?? null,
    user: options.metadata ?? {},
  };
  const started = new Date();
  const startTime = performance.now();
  const files = new Set(['log.jsonl']);
  const begun = () => ({
    state: 'running',
    metadata,
    started: started.toISOString(),
    finished: null,
    process: { host: hostname(), pid: process.pid },
    files: [...files],
  });
  const folder = new RunFolder(directory, begun(), { overwrite, reads: steps.reads ?? [] });
  const { log, close } = openLog(folder.path('log.jsonl'));
  const display = progress ? showProgress(steps.total ?? null) : null;

  let count = 0;
  let isStopped = false;
  let sourceError: Error | undefined;
  const source = steps.pipe(
    tap((step) => {
      count++;
      display?.show(step);
    }),
    catchError((thrown) => {
      sourceError = toError(thrown);
      log.error({ err: sourceError, steps: count }, 'the source failed');
      throw sourceError;
    }),
    takeUntil(
      merge(whenAborted(signal), whenAborted(stopped)).pipe(
        tap(() => {
          isStopped = true;
          log.info({ steps: count }, 'stopped');
        }),
      ),
    ),
  );

  // The source too runs within the context: a sink may be subscribed to late, as a step arrives.
  const ended = await withRunContext(
    { directory: folder.directory, metadata, files, ...(stopped && { stopped }) },
    async () => {
      const endings = outputs.map(([name, output]) => follow(output, (error) => noteError(name, error)));
      folder.write(begun());
      log.info({ branches: Object.keys(branches), metadata }, 'started');
      const connection = source.subscribe(hub);
      const results = await Promise.all(endings);
      connection.unsubscribe();
      return results;
    },
  );

  function noteError(name: string, error: Error): void {
    if (error === sourceError) return;
    log.error({ err: error, branch: name, steps: count }, 'a branch failed');
    if (progress) process.stderr.write(`branch ${name} failed, and the others go on: ${error.message}\n`);
  }

  const summaries = outputs.map(([name], k): [string, BranchSummary] => {
    const { rows, error } = ended[k]!;
    return [name, error === undefined || error === sourceError ? { rows } : { rows, error }];
  });
  const summary: RunSummary = {
    state: nameState(summaries.some(([, { error }]) => error)),
    directory: folder.directory,
    steps: count,
    seconds: (performance.now() - startTime) / 1000,
    branches: Object.fromEntries(summaries),
    ...(sourceError && { error: sourceError }),
  };

  function nameState(hasBranchFailed: boolean): RunState {
    if (sourceError instanceof DivergedError) return 'diverged';
    if (sourceError || hasBranchFailed) return 'failed';
    return isStopped ? 'stopped' : 'finished';
  }

  try {
    folder.write({ ...begun(), finished: new Date().toISOString(), ...describe(summary) });
  } catch (error) {
    // What was measured is in the tables, and the summary is still to be had.
    process.stderr.write(`${toError(error).message}\n`);
    process.exitCode = 1;
  }
  log.info(describe(summary), summary.state);
  close();
  display?.stop();
  report(summary, progress);
  return summary;
}

/** Counts what a branch emits, until it ends. */
function follow(output: Observable<unknown>, onError: (error: Error) => void) {
  return new Promise<BranchSummary>((resolve) => {
    let rows = 0;
    output.subscribe({
      next: () => {
        rows++;
      },
      error: (thrown) => {
        const error = toError(thrown);
        onError(error);
        resolve({ rows, error });
      },
      complete: () => resolve({ rows }),
    });
  });
}

/** Each line is on disk before the run goes on, so that a crash loses none. */
function openLog(path: string): { log: Logger; close: () => void } {
  const file = destination({ dest: path, sync: true });
  file.on('error', (error) => process.stderr.write(`run: ${path} cannot be written: ${error.message}\n`));
  return { log: pino({ base: null }, file), close: () => file.end() };
}

function describe({ state, steps, seconds, branches, error }: RunSummary): JsonObject {
  const results = Object.entries(branches).map(([name, { rows, error }]) => [
    name,
    { rows, error: error?.message ?? null },
  ]);
  return { state, steps, seconds, branches: Object.fromEntries(results), error: error?.message ?? null };
}

function report({ state, directory, steps, seconds, branches, error }: RunSummary, progress: boolean): void {
  if (progress) process.stderr.write(`${state}: ${steps} steps in ${seconds.toFixed(1)} s, in ${directory}\n`);
  if (error) process.stderr.write(`${error.message}\n`);
  for (const [name, branch] of Object.entries(branches)) {
    if (branch.error) process.stderr.write(`branch ${name}: ${branch.error.message}\n`);
  }
  if (state === 'failed' || state === 'diverged') process.exitCode = 1;
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
