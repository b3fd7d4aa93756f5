import { existsSync } from 'node:fs';
import { basename, dirname, relative } from 'node:path';
import { filter, isObservable, map, type Observable, Subject, Subscription, takeWhile } from 'rxjs';
import { Account } from '../core/Account.ts';
import { BrinkError, given } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import { declareBranch, declaredOf } from '../core/origin.ts';
import type { RunBranch } from '../core/Step.ts';
import { derivedStep, type Step, type StepRun, stepRun } from '../core/Step.ts';
import { isWithin } from '../files/isWithin.ts';
import { requireWritable } from '../files/requireWritable.ts';
import { tableName } from '../tables/rowsBehind.ts';

/** What one branch makes of the steps: operators, probes, sinks. */
export type Branch = (steps: Observable<Step>) => Observable<unknown>;

/** Branches by name. */
export type Branches = Readonly<Record<string, Branch>>;

type Body = (first: Step | null) => void;

/** File systems take names of 255 bytes, and beside a table lie its log, and a lock, whose names are longer. */
const LONGEST_NAME = 200;

/** What is known of a run before it begins. */
export interface RunPlace {
  readonly directory: string;
  /** The files of the run before, which go as this one begins. */
  readonly removed: readonly string[];
  readonly stopped: AbortSignal;
  readonly restartEvery: number | null;
  /** Told how far the work on a file is that takes long. */
  readonly tell: (file: string, progress: string) => void;
  /** Told where a sink takes a file after the run has begun. */
  readonly listed: () => void;
}

/** Branches that are subscribed to. */
export interface Followed {
  /** How many values each has emitted so far. */
  readonly counts: ReadonlyMap<string, number>;
  readonly ended: Promise<unknown>;
  unsubscribe(): void;
}

/** The branches of a run: put together first, then begun all at once, then fed. */
export class RunBranches {
  /** Where the steps go in. */
  readonly hub = new Subject<Step>();
  /** What each branch makes of them. */
  readonly outputs: readonly (readonly [name: string, output: Observable<unknown>])[];
  /** The files of the sinks that lie in the run's folder, as paths within it. */
  readonly files = new Set<string>();
  /** Those that lie outside of it, as absolute paths. */
  readonly elsewhere = new Set<string>();
  readonly #directory: string;
  readonly #removed: ReadonlySet<string>;
  readonly #stopped: AbortSignal;
  readonly #restartEvery: number | null;
  readonly #accounts = new Map<string, Account>();
  readonly #peers: Account[] = [];
  readonly #tell: RunPlace['tell'];
  readonly #listed: RunPlace['listed'];
  readonly #owners = new Map<string, string>();
  readonly #targets = new Map<string, readonly string[]>();
  readonly #checks: Body[] = [];
  readonly #openings: Body[] = [];
  readonly #unfinished: { readonly name: string; readonly promise: Promise<unknown> }[] = [];
  #begun: { readonly first: Step | null; readonly metadata: JsonObject } | null = null;

  /** @throws BrinkError for a name that no file can have, and whatever a branch throws while it is put together. */
  constructor(branches: Branches, { directory, removed, stopped, restartEvery, tell, listed }: RunPlace) {
    this.#directory = directory;
    this.#removed = new Set(removed);
    this.#stopped = stopped;
    this.#restartEvery = restartEvery;
    this.#tell = tell;
    this.#listed = listed;
    this.outputs = Object.entries(branches).map(([name, branch]) => {
      if (name === '' || /[/\\\0]|^\.+$/.test(name)) {
        throw new BrinkError(
          'run',
          `a branch is named ${JSON.stringify(name)}. Its name is that of its file; choose one without slashes.`,
        );
      }
      if (typeof branch !== 'function') {
        throw new BrinkError(
          'run',
          `the branch ${given(name, branch)} It must be a function of the steps, as in (s) => s.pipe(…).`,
        );
      }
      const output: unknown = branch(this.#stepsOf(this.#branch(name)));
      if (isObservable(output)) return [name, output];
      throw new BrinkError(
        'run',
        `the branch ${name} returned ${output === undefined ? 'nothing' : `a value of type ${typeof output}`}. It must return what becomes of its steps, as in (s) => s.pipe(…).`,
      );
    });
  }

  /** The files that a branch writes. */
  targetsOf(name: string): readonly string[] {
    return this.#targets.get(name) ?? [];
  }

  /** The tables that a branch writes in the run's folder, by their paths in it, without ending. */
  tablesOf(name: string): readonly string[] {
    return this.targetsOf(name).map((target) => tableName(relative(this.#directory, target)));
  }

  /** The tables of a run that is gone on with which no branch writes, though rows of them are still to come. */
  leftOut(first: Step | null): readonly string[] {
    const own = new Set(this.outputs.flatMap(([name]) => this.tablesOf(name)));
    const before = first?.run.resumes?.tables ?? [];
    return before.filter(({ table, isOver }) => !isOver && !own.has(table)).map(({ table }) => table);
  }

  /** What the measurements of a branch cost. */
  accountOf(name: string): Account {
    return this.#accounts.get(name)!;
  }

  /** Subscribes to every branch, and tells what fails and what ends. */
  follow(onError: (name: string, error: unknown) => void, onEnd: (name: string) => void): Followed {
    const counts = new Map<string, number>();
    const subscription = new Subscription();
    const endings = this.outputs.map(
      ([name, output]) =>
        new Promise<void>((resolve) => {
          counts.set(name, 0);
          subscription.add(
            output.subscribe({
              next: () => counts.set(name, counts.get(name)! + 1),
              error: (error) => {
                onError(name, error);
                resolve();
              },
              complete: () => {
                onEnd(name);
                resolve();
              },
            }),
          );
        }),
    );
    return { counts, ended: Promise.all(endings), unsubscribe: () => subscription.unsubscribe() };
  }

  /** The branches whose rows nobody writes: they end in a probe. Known once all are subscribed to. */
  get withoutSink(): readonly string[] {
    const isUnkept = ([name, output]: (typeof this.outputs)[number]) =>
      this.targetsOf(name).length === 0 && declaredOf(output)?.table;
    return this.outputs.filter(isUnkept).map(([name]) => name);
  }

  /** Lets probes and the like look at the first step, before anything is written. What one throws is thrown. */
  check(first: Step | null): void {
    for (const body of this.#checks) body(first);
  }

  /** Lets sinks open their files: the run has its folder. What one throws is thrown. */
  begin(first: Step | null, metadata: JsonObject): void {
    this.#begun = { first, metadata };
    for (const body of this.#openings) body(first);
  }

  /** Waits for what sinks that nobody listens to any more are still at; tells what failed, by branch. */
  async settled(onError: (name: string, error: unknown) => void): Promise<void> {
    while (this.#unfinished.length > 0) {
      const { name, promise } = this.#unfinished.shift()!;
      await promise.catch((error) => onError(name, error));
    }
  }

  #branch(name: string): RunBranch {
    const metadata = () => {
      if (this.#begun) return this.#begun.metadata;
      throw new BrinkError('run', `the branch ${name} was asked for its metadata before the run had begun.`);
    };
    const account = new Account(this.#peers);
    this.#accounts.set(name, account);
    const targets = () => this.targetsOf(name);
    return {
      name,
      account,
      directory: this.#directory,
      stopped: this.#stopped,
      restartEvery: this.#restartEvery,
      get metadata() {
        return metadata();
      },
      claim: (who, file, meanwhile = []) => this.#claim(name, who, file, meanwhile),
      get targets() {
        return targets();
      },
      removes: (file) => this.#removed.has(file),
      check: (body) => (this.#begun ? body(this.#begun.first) : void this.#checks.push(body)),
      whenBegun: (body) => (this.#begun ? body(this.#begun.first) : void this.#openings.push(body)),
      tell: this.#tell,
      waitFor: (promise) => {
        // Looked at when the run ends, which may be later than it fails.
        promise.catch(() => {});
        this.#unfinished.push({ name, promise });
      },
    };
  }

  #claim(name: string, who: string, target: string, meanwhile: readonly string[]): void {
    const files = [target, ...meanwhile];
    const length = Buffer.byteLength(basename(target));
    if (length > LONGEST_NAME) {
      throw new BrinkError(
        who,
        `the branch ${name} would write a file whose name has ${length} bytes. It may have ${LONGEST_NAME}, as what lies beside it has a longer one; choose a shorter name.`,
      );
    }
    for (const file of files) {
      const owner = this.#owners.get(file);
      if (owner !== undefined) {
        const both = owner === name ? `two sinks of the branch ${name}` : `the branches ${owner} and ${name}`;
        throw new BrinkError(
          who,
          `${both} would both write ${file}. One would be lost; give one of them another path.`,
        );
      }
    }
    // While nothing of the run before is removed.
    const folder = dirname(target);
    if (existsSync(this.#directory)) requireWritable(folder === this.#directory ? 'run' : who, folder);
    this.#targets.set(name, [...this.targetsOf(name), target]);
    if (!isWithin(this.#directory, target)) this.elsewhere.add(target);
    for (const file of files) {
      this.#owners.set(file, name);
      if (isWithin(this.#directory, file)) this.files.add(relative(this.#directory, file));
    }
    if (this.#begun) this.#listed();
  }

  /**
   * The step from which a branch has something to write: where the run goes on with another whose tables it goes on
   * with, the last step of the one that ends first. There may be rows of that step that are not in it. None where all
   * were over.
   */
  #beginOf(name: string, { resumes }: StepRun): number {
    const ends = this.tablesOf(name).map((path) => {
      const before = resumes?.tables.find(({ table }) => table === path);
      return before?.isOver ? Number.POSITIVE_INFINITY : (before?.step ?? 0);
    });
    return ends.length === 0 ? 0 : Math.min(...ends);
  }

  /**
   * The steps as a branch sees them: each knows through which branch it goes. Those that it has nothing to write of are
   * left out; where there is none, the branch ends at once.
   */
  #stepsOf(branch: RunBranch): Observable<Step> {
    let begin: number | null = null;
    let known: { readonly source: StepRun; readonly run: StepRun } | null = null;
    const runOf = (source: StepRun) => {
      if (known?.source !== source) known = { source, run: stepRun({ ...source, branch }) };
      return known.run;
    };
    const beginIn = (run: StepRun) => {
      begin ??= this.#beginOf(branch.name, run);
      return begin;
    };
    const steps = this.hub.pipe(
      takeWhile(({ run }) => beginIn(run) < Number.POSITIVE_INFINITY),
      filter(({ index, run }) => index >= beginIn(run)),
      map((step) => derivedStep(step, runOf(step.run))),
    );
    return declareBranch(steps, branch);
  }
}
