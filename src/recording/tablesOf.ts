import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isSameFile } from '../files/realPath.ts';
import { type FoundEnd, readEnd } from '../tables/readEnd.ts';
import { tableName } from '../tables/rowsBehind.ts';
import { continuationsOf, type RecordedRun, runOf } from './recordedRun.ts';

/** One table of a recorded run, as the last of the runs that wrote to it left it. */
export interface TableBefore extends FoundEnd {
  /** Its path within the folders of the runs, without ending. */
  readonly table: string;
  /**
   * Whether rows may be missing behind the last: `cut off`, as its run was, or its branch failed; `left out`, as the
   * run went on without it; `whole`, as far as the run came; `over`, as its branch ended by itself before the run.
   */
  readonly end: 'cut off' | 'left out' | 'whole' | 'over';
}

type End = Omit<TableBefore, 'end'>;

/** What is left of a recorded run, beside its recording. */
export interface TablesBefore {
  /** The folder of the run. */
  readonly directory: string;
  readonly tables: readonly TableBefore[];
  /** The files that they are. */
  readonly files: readonly string[];
  /** Tables whose rows name no step: where they end is not known. */
  readonly withoutStep: readonly string[];
  /** Files that its runs wrote outside of their folders. */
  readonly elsewhere: readonly string[];
}

/**
 * Where the tables of a recorded run end, those of the runs that went on with its recording included; null where the
 * recording lies in no run's folder.
 *
 * @throws BrinkError where a table or a record is damaged.
 */
export async function tablesOf(who: string, recording: string): Promise<TablesBefore | null> {
  const home = runOf(who, recording);
  if (home === null) return null;
  const directory = dirname(home.path);
  const tables = new Map<string, TableBefore>();
  const files: string[] = [];
  const withoutStep = new Set<string>();
  const elsewhere = new Set<string>();
  for (const [folder, record] of [[directory, home.run] as const, ...continuationsOf(who, home.path, home.run)]) {
    for (const file of record.elsewhere) elsewhere.add(file);
    const names = namesOf(record.files);
    for (const [name, table] of tables) if (!names.has(name)) tables.set(name, { ...table, end: 'left out' });
    for (const name of names) {
      const file = fileOf(folder, name);
      if (file === null || isSameFile(file, recording)) continue;
      const found = await readEnd(who, file);
      if (found === null) continue;
      files.push(file);
      if (found === 'no step') {
        withoutStep.add(name);
        continue;
      }
      const before = tables.get(name);
      const reached = further(before, { table: name, ...found });
      tables.set(name, { ...reached, end: before?.end === 'over' ? 'over' : endOf(record, name, file) });
    }
  }
  return { directory, tables: [...tables.values()], files, withoutStep: [...withoutStep], elsewhere: [...elsewhere] };
}

/** Which of two pieces of a table reaches further; both together, where they end with rows of one step. */
function further(before: End | undefined, end: End): End {
  if (before === undefined) return end;
  if (before.step === end.step) {
    return { ...end, holds: (table, row) => before.holds(table, row) || end.holds(table, row) };
  }
  return (before.step ?? -1) > (end.step ?? -1) ? before : end;
}

/** The tables among a run's files, without endings: logs, what was made of them, and events for TensorBoard. */
const namesOf = (files: readonly string[]) =>
  new Set(
    files
      .filter((file) => ENDING.test(file) || EVENTS.test(file))
      .map((file) => (EVENTS.test(file) ? tableName(file) : file.replace(ENDING, ''))),
  );

const ENDING = /\.(parquet|csv|arrows)(\.part|\.tmp)?$/;
const EVENTS = /\.tfevents\.brink$/;

/** The file that a table is, at the stage at which it was left; null where there is none. */
function fileOf(folder: string, name: string): string | null {
  const stages = ['.arrows.part', '.arrows', '.parquet', '.csv', '.brink'];
  return stages.map((ending) => join(folder, `${name}${ending}`)).find((file) => existsSync(file)) ?? null;
}

function endOf(record: RecordedRun, name: string, file: string): TableBefore['end'] {
  const ended = record.ended[name];
  if (ended === null) return 'over';
  return ended !== undefined || isCutOff(record, name, file) ? 'cut off' : 'whole';
}

/** Whether a table may lack rows that its run had come to: those of a branch that ended in order do not. */
function isCutOff({ state, branches, recovered }: RecordedRun, name: string, file: string): boolean {
  if (recovered.includes(name)) return true;
  // A branch can have failed before the source diverged.
  if (state === 'failed' || state === 'diverged') return branches[name]?.error !== null;
  // Of events nothing else says it.
  return file.endsWith('.part') || (EVENTS.test(file) && ['running', 'recovered'].includes(state));
}
