import { relative } from 'node:path';
import { isObservable, map, merge, type Observable, type Subscription, takeUntil, tap } from 'rxjs';
import type { Cost } from '../core/Cost.ts';
import { BrinkError, DivergedError, given, requireInteger } from '../core/errors.ts';
import { requireChoice, requireFlag, requireOptions } from '../core/given.ts';
import { type JsonObject, requireJson } from '../core/Json.ts';
import { requireStep, type Step } from '../core/Step.ts';
import { requireBranches } from '../operators/requireBranches.ts';
import { whenAborted } from '../operators/whenAborted.ts';
import { readTable } from '../tables/readTable.ts';
import { type Branches, RunBranches } from './branches.ts';
import { heedSignals } from './heedSignals.ts';
import { outliveClosedPipes } from './outliveClosedPipes.ts';
import { RunRecord } from './RunRecord.ts';
import { showProgress } from './showProgress.ts';
import { startWatching } from './startWatching.ts';

export interface RunOptions {
  /** The run's folder, made where it is missing; default 'output'. */
  readonly directory?: string;
  /** Whether to remove the run that the folder holds: the files listed in its run.json, nothing else; default false. */
  readonly overwrite?: boolean;
  /** Goes into run.json and every table, under the key `user`. */
  readonly metadata?: JsonObject;
  /**
   * Whether the live page of the folder is served meanwhile, by a process of its own, as `brink watch` does; default
   * false. Its address is written to standard error. It ends ten minutes after the run, where nobody looks.
   */
  readonly watch?: boolean;
  /** Whether step, loss and time left are shown on standard error: a bar on a terminal, else lines; default true. */
  readonly progress?: boolean;
  /** Ends the source when aborted: the step at hand is measured to its end, and the tables finish. */
  readonly signal?: AbortSignal;
  /**
   * What SIGINT (Ctrl-C) and SIGTERM do; default 'exit'. The first stops the run after the product at hand and
   * finishes the tables; then 'exit' ends the process with 130 or 143, and 'stop' sets that exit code and lets the
   * program go on, with the runs that it still begins stopped at once. The second signal ends the process. 'ignore':
   * they are not listened to. A signal that the program itself listens to when the run begins is left to it, and
   * afterwards nothing is listened to.
   */
  readonly signals?: 'exit' | 'stop' | 'ignore';
  /**
   * Every how many steps probes begin afresh, without what they carry from step to step (eigenvectors, running sums,
   * the row before); default: never. A run that goes on from such a step by `resume(path, { step })` then has the same
   * rows, bit for bit.
   */
  readonly restartEvery?: number;
}

/**
 * How a run ended. `finished`: the source ended, or every branch did, without an error. `diverged`: the source ended
 * with a DivergedError. `stopped`: by the signal, the program's or the process's. `failed`: the source or a branch
 * ended with another error.
 */
export type RunState = 'finished' | 'diverged' | 'stopped' | 'failed';

/** What came out of one branch. */
export interface BranchSummary {
  /** How many values it emitted: rows, where it ends in a probe or a sink. */
  readonly rows: number;
  /** Time in which its measurements were at work, without what they waited for others. */
  readonly seconds: number;
  /** What its measurements had done, in passes over all n examples; shared work counts where it was done first. */
  readonly cost: Cost;
  /** Its own error; what the source ended with stands in the run's summary alone. */
  readonly error?: Error;
}

/** What a branch emits. */
type Emitted<B> = B extends (...steps: never[]) => Observable<infer R> ? R : never;

/** How a run went. */
export interface RunSummary<B = Branches> {
  readonly state: RunState;
  /** The run's folder as an absolute path. */
  readonly directory: string;
  /** How many steps the source emitted. */
  readonly steps: number;
  /** Wall time. */
  readonly seconds: number;
  readonly branches: { readonly [K in keyof B]: BranchSummary };
  /** What the source ended with, where it failed or diverged. */
  readonly error?: Error;
  /**
   * The rows of a branch, read back from the table that it has written: of one that failed, those before.
   *
   * @throws BrinkError as a rejection where there is no such branch, or it has written no table, or more than one.
   */
  rows<K extends keyof B & string>(branch: K): Promise<readonly Emitted<B[K]>[]>;
}

/**
 * Runs a source into branches, with one subscription to the source, and resolves once every branch has ended and all
 * files are whole.
 *
 * Each branch gets every step; a throttle in it makes it rarer. An error in one branch ends that branch alone. A
 * branch that ends early lets go of the source, and once all have, the source is unsubscribed. Where the source fails
 * or diverges the tables finish, and the error stands in the summary. Wherever something failed or diverged it is
 * written to standard error and `process.exitCode` becomes 1.
 *
 * The run begins with the first step. Before it passes, every probe looks whether its options go with the objective
 * and every sink whether its file is free; a mistake rejects the run, with nothing measured, nothing written and the
 * source unsubscribed. So does a source that fails before its first step. Then the folder is taken (with `overwrite`
 * the run that it holds is removed only now), and the files are opened, those of branches without a row too.
 *
 * In `directory` it writes `run.json` (versions, source, metadata, state, rows, cost and errors of each branch, the
 * files of the run; rewritten in one stroke as the run begins and ends) and `log.jsonl`. Probes and sinks within
 * branches find the folder and the metadata by themselves. That a run finished does not say that what it measured
 * converged: the tables do.
 *
 * Cost: none beyond the source and the branches.
 *
 * @param steps A source of this library, or any observable of steps.
 * @param branches By name, which is that of their files; at least one.
 * @param options `directory`, `overwrite`, `metadata`, `watch`, `progress`, `signal`, `signals`, `restartEvery`.
 * @throws BrinkError as a rejection, before anything is measured: no branch, an option that there is not, a folder
 *   that holds a run, two branches that would write one file, options of a probe that don't go with the objective;
 *   and whatever a branch throws while it is put together.
 */
export async function run<const B extends Branches>(
  steps: Observable<Step>,
  branches: B,
  options: RunOptions = {},
): Promise<RunSummary<B>> {
  requireOptions(
    WHO,
    options,
    ['directory', 'overwrite', 'metadata', 'watch', 'progress', 'signal', 'signals', 'restartEvery'],
    "{ directory: 'output/first' }",
  );
  const { signals = 'exit' } = options;
  requireChoice(WHO, 'signals', signals, ['exit', 'stop', 'ignore']);
  outliveClosedPipes();
  const setCode = (code: number) => {
    process.exitCode = code;
  };
  const heeded = signals === 'ignore' ? undefined : heedSignals(signals === 'exit' ? process.exit : setCode);
  try {
    const summary = await runUntil(heeded?.stopped ?? new AbortController().signal, steps, branches, options);
    return summary as RunSummary<B>;
  } finally {
    heeded?.release();
  }
}

const WHO = 'run';

async function runUntil(
  stopped: AbortSignal,
  steps: Observable<Step>,
  branches: Branches,
  options: RunOptions,
): Promise<RunSummary> {
  const {
    directory = 'output',
    overwrite = false,
    metadata: user = {},
    watch = false,
    progress = true,
    signal,
    restartEvery = null,
  } = options;
  requireFlag(WHO, 'overwrite', overwrite);
  requireFlag(WHO, 'watch', watch);
  requireFlag(WHO, 'progress', progress);
  requireJson(WHO, 'metadata', user);
  if (restartEvery !== null) requireInteger(WHO, 'restartEvery', restartEvery, 1);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new BrinkError(WHO, `${given('signal', signal)} It must be an AbortSignal: that of an AbortController.`);
  }
  requireSource(steps);
  requireBranches(WHO, branches);
  if (Object.keys(branches).length === 0) {
    throw new BrinkError(WHO, 'there is no branch. Without one no step would be taken; name at least one.');
  }
  const record = new RunRecord({ directory, overwrite, user });
  const joined = new RunBranches(branches, {
    directory: record.directory,
    removed: record.removed,
    stopped,
    restartEvery,
    tell: (file, progress) => {
      record.note('info', { file }, progress);
      display?.say(`${relative(record.directory, file)}: ${progress}`);
    },
    listed: () => record.list(joined.files),
  });
  const start = performance.now();
  const errors = new Map<string, Error>();
  const display = progress ? showProgress() : null;
  let count = 0;
  let isStopped = false;
  let sourceError: Error | undefined;
  let hasSourceEnded = false;

  /** Where the run has begun; what refuses it before that ends it. */
  let hasBegun = false;
  let isRefused = false;
  const refused = Promise.withResolvers<never>();
  refused.promise.catch(() => {});
  function refuse(error: unknown): void {
    isRefused = true;
    refused.reject(error);
  }
  function begin(first: Step | null): boolean {
    if (hasBegun || isRefused) return hasBegun;
    try {
      joined.check(first);
      record.begin(first, joined);
      hasBegun = true;
      if (watch) startWatching(record.directory);
      const note = first?.run.resumes?.note ?? null;
      if (progress && note !== null) process.stderr.write(`${note}\n`);
      for (const table of joined.leftOut(first)) {
        // A sink that operators hide is not known before its first row.
        const said = 'no branch is known to go on with';
        record.note('info', { table }, `${said} it`);
        if (progress) process.stderr.write(`${said} ${table}: without one it gets no rows from here on\n`);
      }
      for (const name of progress ? joined.withoutSink : []) {
        process.stderr.write(`branch ${name} has no sink: its rows are counted, not kept (toParquet, toArrow)\n`);
      }
    } catch (error) {
      refuse(error);
    }
    return hasBegun;
  }

  function noteError(name: string, thrown: unknown): void {
    const error = toError(thrown);
    if (!hasBegun) refuse(error);
    if (!hasBegun || error === sourceError) return;
    noteEnd(name, error);
    errors.set(name, errors.get(name) ?? error);
    record.note('error', { err: error, branch: name, steps: count }, 'a branch failed');
    if (progress) process.stderr.write(`branch ${name} failed, and the others go on: ${error.message}\n`);
  }

  function noteEnd(name: string, error: Error | null = null): void {
    if (hasBegun && !hasSourceEnded) record.ended(joined.tablesOf(name), error?.message ?? null);
  }

  const stop = merge(whenAborted(signal), whenAborted(stopped)).pipe(
    tap(() => {
      isStopped = true;
      record.note('info', { steps: count }, 'stopped');
    }),
  );
  const followed = joined.follow(noteError, noteEnd);
  let connection: Subscription | undefined;
  try {
    // Lets what a branch refuses at its subscription be heard before the source is asked for anything.
    await Promise.race([refused.promise, null]);
    const source = steps.pipe(
      map((value) => requireStep(WHO, value)),
      takeUntil(stop),
    );
    connection = source.subscribe({
      next: (step) => {
        if (!begin(step)) return;
        count++;
        record.reached(step);
        display?.show(step);
        joined.hub.next(step);
      },
      error: (thrown) => {
        hasSourceEnded = true;
        sourceError = toError(thrown);
        if (!hasBegun) refuse(sourceError);
        record.note('error', { err: sourceError, steps: count }, 'the source failed');
        joined.hub.error(sourceError);
      },
      complete: () => {
        hasSourceEnded = true;
        if (begin(null)) joined.hub.complete();
      },
    });
    await Promise.race([refused.promise, followed.ended]);
    // Where every branch was done before a step came.
    if (!begin(null)) await refused.promise;
  } catch (error) {
    connection?.unsubscribe();
    followed.unsubscribe();
    await joined.settled(() => {});
    record.abandon();
    throw error;
  }
  connection.unsubscribe();
  await joined.settled(noteError);

  const results = [...followed.counts].map(([name, rows]): [string, BranchSummary] => {
    const error = errors.get(name);
    const { seconds, cost } = joined.accountOf(name);
    return [name, { rows, seconds, cost: { ...cost }, ...(error && { error }) }];
  });
  const summary: RunSummary = {
    state: nameState(),
    directory: record.directory,
    steps: count,
    seconds: (performance.now() - start) / 1000,
    branches: Object.fromEntries(results),
    ...(sourceError && { error: sourceError }),
    rows: (branch) => rowsOf(branch, joined),
  };

  function nameState(): RunState {
    if (sourceError instanceof DivergedError) return 'diverged';
    if (sourceError || errors.size > 0) return 'failed';
    return isStopped ? 'stopped' : 'finished';
  }

  try {
    record.end(describe(summary), joined.files);
  } catch (error) {
    // What was measured is in the tables, and the summary is still to be had.
    process.stderr.write(`${toError(error).message}\n`);
    process.exitCode = 1;
  }
  display?.stop();
  report(summary, progress);
  return summary;
}

function requireSource(steps: unknown): void {
  if (isObservable(steps)) return;
  const isPromise = typeof (steps as PromiseLike<unknown> | undefined)?.then === 'function';
  throw new BrinkError(
    WHO,
    `the source is ${isPromise ? 'a promise' : `a value of type ${typeof steps}`}. It must be an observable of steps, as gradientDescent and replay return${isPromise ? '; await it first' : ''}.`,
  );
}

/** The rows of the one table that a branch has written, of those that `readTable` reads. */
async function rowsOf(branch: string, joined: RunBranches): Promise<readonly never[]> {
  const names = joined.outputs.map(([name]) => name);
  if (!names.includes(branch)) {
    throw new BrinkError(WHO, `there is no branch '${branch}'. There are ${names.join(', ')}.`);
  }
  const [file, ...more] = joined.targetsOf(branch).filter((target) => /\.(parquet|arrows)$/.test(target));
  if (file === undefined) {
    throw new BrinkError(WHO, `the branch ${branch} has written no table. Put toParquet() or toArrow() at its end.`);
  }
  if (more.length > 0) {
    throw new BrinkError(WHO, `the branch ${branch} has written ${[file, ...more].join(', ')}. Read one by readTable.`);
  }
  return (await readTable(file)).rows as readonly object[] as readonly never[];
}

function describe({ state, steps, seconds, branches, error }: RunSummary): JsonObject {
  const results = Object.entries(branches).map(([name, { rows, seconds, cost, error }]) => [
    name,
    { rows, seconds, cost: { ...cost }, error: error?.message ?? null },
  ]);
  return { state, steps, seconds, branches: Object.fromEntries(results), error: error?.message ?? null };
}

function report({ state, directory, steps, seconds, branches, error }: RunSummary, progress: boolean): void {
  if (progress)
    process.stderr.write(
      `${state}: ${steps} ${steps === 1 ? 'step' : 'steps'} in ${seconds.toFixed(1)} s, in ${directory}\n`,
    );
  if (error) process.stderr.write(`${error.message}\n`);
  for (const [name, branch] of Object.entries(branches)) {
    if (branch.error) process.stderr.write(`branch ${name}: ${branch.error.message}\n`);
  }
  if (state === 'failed' || state === 'diverged') process.exitCode = 1;
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
