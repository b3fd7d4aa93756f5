import { readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isSameFile } from '../files/realPath.ts';
import { openRecording } from '../recording/openRecording.ts';
import { continuationsOf, findRecordedRun, type RecordedRun } from '../recording/recordedRun.ts';

const WHO = 'run';

/**
 * What there is of a run that goes on where it was cut off: the folder that it began in, with its recording, and those
 * of the runs that went on with it: `<folder>.2`, `<folder>.3`, ….
 *
 * Which runs went on is what the first one's record says (`continued`): what an older run has left under such a name is
 * none of them.
 */
export class RunParts {
  /** In order; empty: the run has not begun. */
  readonly folders: readonly string[];
  /** What the record of each says. */
  readonly records: readonly RecordedRun[];
  /** The file that they are gone on with from. */
  readonly recording: string;
  readonly #folder: string;

  /**
   * @param branch The one that records.
   * @throws BrinkError where the record of a run that went on with it is damaged.
   */
  constructor(folder: string, branch: string) {
    this.#folder = folder;
    this.recording = join(folder, `${branch}.arrows`);
    const first = findRecordedRun(WHO, folder);
    const parts = first ? [[folder, first] as const, ...continuationsOf(WHO, this.recording, first)] : [];
    this.folders = parts.map(([path]) => path);
    this.records = parts.map(([, record]) => record);
  }

  /** The folder of the run that goes on with them. */
  get next(): string {
    return `${this.#folder}.${this.folders.length + 1}`;
  }

  /** Whether the run needs no more: divergence can be the finding, but not that of a run with a branch that failed. */
  get isDone(): boolean {
    const last = this.records.at(-1);
    if (last?.state !== 'diverged') return last?.state === 'finished';
    return Object.values(last.branches).every(({ error }) => error === null);
  }

  /** Whether all of it was made by that definition of its figure. */
  isOf(definition: string): boolean {
    return this.records.every(({ user }) => Object(user.figure ?? null).definition === definition);
  }

  /**
   * The steps that are recorded; none where the run was cut off before the first.
   *
   * @throws BrinkError where the recording can't be read.
   */
  recordedSteps(): readonly number[] {
    if (this.folders.length === 0) return [];
    // A process can be killed between opening the file and writing the first step.
    if ((statSync(this.recording, { throwIfNoEntry: false })?.size ?? 0) === 0) return [];
    const { close, indices } = openRecording(WHO, this.recording);
    close();
    return indices;
  }

  /** The last step of those that a definition's run has recorded; null where it can't go on. */
  goesOnFrom(definition: string): number | null {
    return this.isOf(definition) ? (this.recordedSteps().at(-1) ?? null) : null;
  }

  /** Removes what an older run has left in folders of such names. */
  removeStale(): void {
    const name = `${basename(this.#folder)}.`;
    for (const other of readdirSync(dirname(this.#folder))) {
      const path = join(dirname(this.#folder), other);
      const isPart = other.startsWith(name) && /^\d+$/.test(other.slice(name.length));
      if (isPart && !this.folders.some((folder) => isSameFile(folder, path)))
        rmSync(path, { recursive: true, force: true });
    }
  }
}
