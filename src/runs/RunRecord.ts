import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { relative } from 'node:path';
import { destination, type Logger, pino } from 'pino';
import type { JsonObject } from '../core/Json.ts';
import type { Step } from '../core/Step.ts';
import { HEARTBEAT } from '../files/isAlive.ts';
import { VERSIONS } from '../files/versions.ts';
import type { RunBranches } from './branches.ts';
import { RunFolder } from './RunFolder.ts';

const LOG = 'log.jsonl';

/** What a record is made with. */
export interface RecordOptions {
  readonly directory: string;
  readonly overwrite: boolean;
  /** What the user adds. */
  readonly user: JsonObject;
}

/**
 * What a run leaves of itself in its folder: `run.json`, rewritten in one stroke as it begins and ends, and
 * `log.jsonl`.
 */
export class RunRecord {
  readonly #folder: RunFolder;
  readonly #options: RecordOptions;
  readonly #started = new Date();
  /** The files of the run before, which go as this one begins. */
  readonly removed: readonly string[];
  #metadata: JsonObject = {};
  #resumed: JsonObject | null = null;
  #files: readonly string[] = [LOG];
  /** Files of the run outside of its folder: they stay when it goes. */
  #elsewhere: ReadonlySet<string> = new Set();
  /** The tables whose branch ended while the source went on, each with what it failed with. */
  #ended: Readonly<Record<string, string | null>> = {};
  /** Files of the run in its folder that were not there before. */
  #made: readonly string[] = [];
  #isTold = false;
  #isTaken = false;
  #heart: NodeJS.Timeout | undefined;
  #step: number | null = null;
  #log: { readonly log: Logger; close(): void } | null = null;

  /** @throws BrinkError where the folder holds a run that is not to be replaced, or lives. Nothing is written yet. */
  constructor(options: RecordOptions) {
    this.#options = options;
    this.#folder = new RunFolder(options.directory);
    this.removed = this.#folder.requireFree(options);
  }

  get directory(): string {
    return this.#folder.directory;
  }

  /** Takes the folder, and lets the branches open their files in it. @throws BrinkError where one of them refuses. */
  begin(first: Step | null, branches: RunBranches): void {
    const source = first?.run.metadata ?? null;
    this.#metadata = { ...VERSIONS, run: runId(source), source, user: this.#options.user };
    this.#resumed = first && this.#resumedFrom(first);
    this.#files = [LOG, ...branches.files];
    this.#elsewhere = branches.elsewhere;
    const { overwrite } = this.#options;
    this.#log = this.#folder.take(this.#running(), { overwrite, reads: first?.run.reads ?? [] }, () => {
      this.#isTaken = true;
      return openLog(this.#folder.path(LOG));
    });
    this.#made = [...branches.files].filter((file) => !existsSync(this.#folder.path(file)));
    branches.begin(first, this.#metadata);
    this.#heart = setInterval(() => this.#beat(), HEARTBEAT).unref();
    this.#log.log.info({ branches: branches.outputs.map(([name]) => name), metadata: this.#metadata }, 'started');
    if (this.#resumed) this.#log.log.info({ resumed: this.#resumed }, 'resumed');
  }

  /** Notes the newest step, which the next heartbeat says. */
  reached({ index }: Step): void {
    this.#step = index;
  }

  /** Lists the files of sinks that have taken them only now. */
  list(files: Iterable<string>): void {
    this.#files = [LOG, ...files];
    this.#beat();
  }

  /**
   * Notes that the branch of some tables ended while the source went on, of itself or by an error: a crash later leaves
   * no other word of it.
   */
  ended(tables: readonly string[], error: string | null): void {
    if (tables.length === 0) return;
    this.#ended = { ...this.#ended, ...Object.fromEntries(tables.map((table) => [table, error])) };
    this.#beat();
  }

  /** Writes a line of the log, once there is one. */
  note(level: 'info' | 'error', about: object, message: string): void {
    this.#log?.log[level](about, message);
  }

  /** Writes how the run ended. @throws BrinkError where the folder can't be written any more. */
  end(summary: JsonObject, files: Iterable<string>): void {
    clearInterval(this.#heart);
    this.#files = [LOG, ...files];
    this.note('info', summary, String(summary.state));
    this.#log?.close();
    this.#folder.write({ ...this.#running(), finished: new Date().toISOString(), ...summary });
  }

  /** Leaves nothing of a run that was refused. */
  abandon(): void {
    clearInterval(this.#heart);
    this.#log?.close();
    if (this.#isTaken) this.#folder.abandon([LOG, ...this.#made]);
  }

  /**
   * Says that the run lives; where the folder is gone, or can't be written, that is said once, and while it matters. It
   * is tried again: a run that says nothing any more is taken to be dead.
   */
  #beat(): void {
    try {
      this.#folder.write(this.#running());
    } catch (error) {
      if (this.#isTold) return;
      this.#isTold = true;
      process.stderr.write(`${(error as Error).message} The run goes on; what it measures may be lost.\n`);
    }
  }

  /** What a run that goes on with another says of it. */
  #resumedFrom({ index, run: { resumes } }: Step): JsonObject | null {
    if (resumes === null) return null;
    const { recording, tables, note } = resumes;
    return {
      recording: relative(this.directory, recording),
      step: index,
      tables: Object.fromEntries(tables.map(({ table, step }) => [table, step < 0 ? null : step])),
      note,
    };
  }

  #running(): JsonObject {
    return {
      state: 'running',
      metadata: this.#metadata,
      ...(this.#resumed && { resumed: this.#resumed }),
      started: this.#started.toISOString(),
      finished: null,
      process: { host: hostname(), pid: process.pid },
      heartbeat: new Date().toISOString(),
      step: this.#step,
      files: this.#files,
      ...(this.#elsewhere.size > 0 && { elsewhere: [...this.#elsewhere] }),
      ...(Object.keys(this.#ended).length > 0 && { ended: this.#ended }),
    };
  }
}

/**
 * Runs with one source are one run, live or replayed: the name follows from the source. One that says nothing of
 * itself has its own.
 */
function runId(source: JsonObject | null): string {
  const about = source === null ? randomUUID() : JSON.stringify(source);
  return createHash('sha256').update(about).digest('hex').slice(0, 12);
}

/** Each line is on disk before the run goes on, so that a crash loses none. */
function openLog(path: string): { log: Logger; close(): void } {
  const file = destination({ dest: path, sync: true });
  file.on('error', (error) => process.stderr.write(`run: ${path} cannot be written: ${error.message}\n`));
  return { log: pino({ base: null }, file), close: () => file.end() };
}
