import { existsSync, rmSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { BrinkError } from '../core/errors.ts';
import { requireNames } from '../core/requireNames.ts';
import { FileLock } from '../files/FileLock.ts';
import { filesBelow } from '../files/filesBelow.ts';
import { isAlive } from '../files/isAlive.ts';
import type { Writer } from '../files/isBeingWritten.ts';
import { isUnbegun } from '../files/isUnbegun.ts';
import { sayingWhy } from '../files/sayingWhy.ts';
import { amendRecord, findRecordedRun, type RecordedRun } from '../recording/recordedRun.ts';
import { type RecoveredTable, type RecoverOptions, recoverTable } from '../tables/recoverTable.ts';
import { namedFolder } from './namedFolder.ts';

const WHO = 'recover';

/**
 * Finishes what a crash left unfinished in a folder and the folders below it: tables, and the records of their runs.
 *
 * A torn last batch is cut off, the Arrow stream is ended, and where it was to become Parquet it does. May be cut off
 * anywhere and run again; a second run finds nothing to do, and one at the same time leaves to the first what that is
 * at. Tables that a living process is writing are left alone; those of other machines are known by the heartbeat in
 * their run's record. A log that is damaged within is left as it is, and told of. A folder that several links lead to
 * is visited once. What was begun of a table before its first row is removed.
 *
 * A run that was cut off and whose tables are all whole has the state `recovered` in its run.json from then on.
 *
 * @param directory Where to look.
 * @param options `onProgress`: told, now and then, how many rows of a table are done that takes long.
 * @returns One entry for each table that was unfinished.
 * @throws BrinkError where the folder is not there.
 */
export async function recover(directory: string, options: RecoverOptions = {}): Promise<RecoveredTable[]> {
  requireNames(WHO, options, ['onProgress']);
  const { onProgress } = options;
  const folder = namedFolder(WHO, directory);
  if (!existsSync(folder)) throw new BrinkError(WHO, `there is no folder ${folder}. Name the folder of a run.`);
  if (!statSync(folder).isDirectory()) throw new BrinkError(WHO, `${folder} is a file. Name the folder of a run.`);
  const files = sayingWhy(WHO, `${folder} can't be searched`, 'Look at the rights of its folders.', () =>
    filesBelow(folder),
  );
  const logs = files.filter((file) => /\.arrows(\.part)?$/.test(file)).map((file) => join(folder, file));
  const runs = files
    .filter((file) => basename(file) === 'run.json')
    .map((file) => new CutOffRun(join(folder, dirname(file))));
  const results: RecoveredTable[] = [];
  try {
    for (const log of logs) {
      const run = runs.find((run) => run.holds(log));
      const result = run ? await run.recover(log, onProgress) : await recoverTable(WHO, log, onProgress);
      if (result) results.push(result);
    }
    for (const run of runs) run.finish();
  } finally {
    for (const run of runs) run.release();
  }
  return results;
}

/** A run, as far as its tables are recovered: by one process at a time, where it was cut off. */
class CutOffRun {
  readonly #folder: string;
  #record: RecordedRun | null = null;
  #isAlive = false;
  /** Null: there was no need of one. */
  #lock: FileLock | Writer | null = null;
  #isWhole = true;

  constructor(folder: string) {
    this.#folder = folder;
    this.#look();
  }

  #look(): void {
    // One that can't be read keeps no table from being finished.
    this.#record = findRecordedRun(WHO, this.#folder);
    const { state, process, heartbeat = null } = this.#record ?? {};
    const log = join(this.#folder, 'log.jsonl');
    this.#isAlive = state === 'running' && process != null && isAlive(log, process, heartbeat);
  }

  /** Whether a log is one of its tables. */
  holds(log: string): boolean {
    return this.#record?.files.includes(relative(this.#folder, log)) ?? false;
  }

  async recover(log: string, onProgress: RecoverOptions['onProgress']): Promise<RecoveredTable | undefined> {
    const result = await this.#recover(log, onProgress);
    if (result && (result.problem !== null || result.leftTo !== null)) this.#isWhole = false;
    return result;
  }

  async #recover(log: string, onProgress: RecoverOptions['onProgress']): Promise<RecoveredTable | undefined> {
    const left = { path: log, rows: 0, bytesLost: 0, problem: null, leftTo: null };
    const lock = this.#isCutOff ? this.#take() : null;
    if (!existsSync(log)) return undefined;
    if (lock !== null && !(lock instanceof FileLock)) return { ...left, leftTo: lock.pid };
    const { host, pid } = this.#record?.process ?? {};
    if (this.#isAlive && host !== hostname()) {
      const problem = `${WHO}: ${log} is being written by process ${pid} on ${host}, which finishes it itself.`;
      return { ...left, problem };
    }
    if (!this.#isCutOff) return recoverTable(WHO, log, onProgress);
    if (log.endsWith('.part') && isUnbegun(WHO, log)) {
      const { size } = statSync(log);
      rmSync(log);
      return { ...left, bytesLost: size };
    }
    // Before it is finished, as afterwards nothing tells it from one whose branch had ended.
    if (log.endsWith('.part')) this.#noteCutOff(relative(this.#folder, log));
    return recoverTable(WHO, log, onProgress);
  }

  /** Says of a run that was cut off that it is recovered, if all its tables are. */
  finish(): void {
    if (!this.#isCutOff || !this.#isWhole || !(this.#take() instanceof FileLock)) return;
    if (!this.#isCutOff) return;
    amendRecord(WHO, this.#folder, { state: 'recovered', finished: new Date().toISOString() });
  }

  release(): void {
    if (this.#lock instanceof FileLock) this.#lock.release();
  }

  get #isCutOff(): boolean {
    return this.#record?.state === 'running' && !this.#isAlive;
  }

  /**
   * Takes the run, and looks at it again: before the lock was free another process may have been here, or begun anew.
   */
  #take(): FileLock | Writer {
    if (this.#lock !== null) return this.#lock;
    try {
      this.#lock = FileLock.take(join(this.#folder, 'run.json'));
      this.#look();
      return this.#lock;
    } catch (cause) {
      const why = (cause as Error).message;
      throw new BrinkError(WHO, `${this.#folder} can't be written: ${why}. Copy the run to where it can be.`, {
        cause,
      });
    }
  }

  #noteCutOff(log: string): void {
    const recovered = new Set(findRecordedRun(WHO, this.#folder)?.recovered);
    recovered.add(log.replace(/\.arrows\.part$/, ''));
    amendRecord(WHO, this.#folder, { recovered: [...recovered] });
  }
}
