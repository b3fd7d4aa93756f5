import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { BrinkError } from '../core/errors.ts';
import type { Column, Table } from '../core/Table.ts';
import { filesBelow } from '../files/filesBelow.ts';
import { isBeingWritten } from '../files/isBeingWritten.ts';
import { sayingWhy } from '../files/sayingWhy.ts';
import { cutShort } from '../recording/cutShort.ts';
import { openRecording } from '../recording/openRecording.ts';
import { openLog } from '../tables/openLog.ts';
import { readTable } from '../tables/readTable.ts';
import { namedFolder } from './namedFolder.ts';
import { type RunFile, readRunFile, stateOf } from './readRunFile.ts';

/** Numbers of one column along the steps; where a step has more rows, of those that share the rest of the key. */
export interface Series {
  readonly column: string;
  readonly symbol: string;
  /** The rest of the key: `batch_size=32`; empty where a step has one row. */
  readonly of: string;
  readonly values: readonly (number | null)[];
}

export interface TableDescription {
  readonly file: string;
  readonly name: string;
  readonly description: string;
  readonly rows: number;
  readonly columns: readonly string[];
  /**
   * `finished`; `being written`, by a living process; `unfinished`: `brink recover` finishes it; `unreadable`;
   * `recording`: no table, but steps.
   */
  readonly state: 'finished' | 'being written' | 'unfinished' | 'unreadable' | 'recording';
  /** Why it is unreadable, or which steps of a recording are damaged: each is compared with its checksum. */
  readonly problem: string | null;
  readonly series: readonly Series[];
}

export interface RunDescription {
  readonly directory: string;
  /** As in run.json; `cut off` where the process that was to end the run is no more. */
  readonly state: string;
  readonly run: RunFile;
  readonly tables: readonly TableDescription[];
}

const WHO = 'show';

/**
 * What a folder of a run holds: its record, its state and its tables, whole or not.
 *
 * @throws BrinkError where there is no such folder, or no run in it.
 */
export async function describeRun(folder: string): Promise<RunDescription> {
  const directory = namedFolder(WHO, folder);
  const path = join(directory, 'run.json');
  if (!existsSync(directory)) throw new BrinkError(WHO, `there is no folder ${directory}. Name that of a run.`);
  if (!statSync(directory).isDirectory()) {
    throw new BrinkError(WHO, `${directory} is a file. Name the folder of a run, the one with run.json.`);
  }
  if (!existsSync(path)) {
    throw new BrinkError(WHO, `${directory} holds no run (run.json). Name the folder of a run itself.`);
  }
  const run = readRunFile(WHO, path);
  const advice = 'Look at the rights of its folders.';
  const files = sayingWhy(WHO, `${directory} can't be searched`, advice, () => filesBelow(directory));
  const tables: TableDescription[] = [];
  for (const file of files) {
    // A log beside its Parquet file is on its way to become it.
    if (file.endsWith('.parquet') && files.includes(file.replace(/parquet$/, 'arrows'))) continue;
    if (/\.(parquet|arrows|arrows\.part)$/.test(file)) tables.push(await describeTable(directory, file));
  }
  return { directory, state: stateOf(directory, run), run, tables };
}

async function describeTable(directory: string, file: string): Promise<TableDescription> {
  const path = join(directory, file);
  try {
    const { table, rows, state } = file.endsWith('.parquet') ? await whole(path) : log(path);
    return {
      file,
      name: table.name,
      description: table.description,
      rows: rows.length,
      columns: Object.keys(table.columns),
      state,
      problem: null,
      series: seriesOf(table, rows),
    };
  } catch (error) {
    const nothing = { name: '', description: '', rows: 0, columns: [], series: [] };
    const steps = recordedSteps(path);
    if (steps !== null) return { file, ...nothing, name: 'recording', ...steps, state: 'recording' };
    return { file, ...nothing, state: 'unreadable', problem: (error as Error).message };
  }
}

/** How many steps a recording holds, and what is damaged of them; null where the file is none. */
function recordedSteps(path: string): Pick<TableDescription, 'rows' | 'problem'> | null {
  let recording: ReturnType<typeof openRecording>;
  try {
    recording = openRecording(WHO, path);
  } catch {
    return null;
  }
  try {
    const { indices, isSound, damage, tornBytes } = recording;
    const cut = cutShort(recording);
    const bad = indices.filter((_, k) => !isSound(k));
    const shown = `${bad.slice(0, MOST_NAMED).join(', ')}${bad.length > MOST_NAMED ? ', …' : ''}`;
    const problems = [
      ...(bad.length > 0 ? [`${bad.length} of ${indices.length} steps are damaged: ${shown}`] : []),
      ...(damage ? [damage.message] : []),
      ...(tornBytes > 0 ? [`${tornBytes} bytes at the end are of a step that is not whole, or damaged`] : []),
      ...(cut ? [cut] : []),
    ];
    return { rows: indices.length, problem: problems.length > 0 ? problems.join('; ') : null };
  } finally {
    recording.close();
  }
}

/** As many damaged steps are named. */
const MOST_NAMED = 10;

type Rows = readonly Readonly<Record<string, unknown>>[];
type Content = { readonly table: Table; readonly rows: Rows; readonly state: TableDescription['state'] };

async function whole(path: string): Promise<Content> {
  const { table, rows } = await readTable(path);
  return { table, rows, state: 'finished' };
}

/** An Arrow stream, as far as it is written. */
function log(path: string): Content {
  const { table, format, writer, batches, close } = openLog(WHO, path);
  try {
    const isFinished = format === 'arrow' && !path.endsWith('.part');
    const state = isFinished ? 'finished' : isBeingWritten(path, writer) ? 'being written' : 'unfinished';
    return { table, rows: [...batches()].flat(), state };
  } finally {
    close();
  }
}

/** Every column of plain numbers that measures something: keys and standard errors do not. */
function seriesOf(table: Table, rows: Rows): Series[] {
  if (!table.key.includes('step')) return [];
  const others = table.key.filter((name) => name !== 'step');
  const groups = Map.groupBy(rows, (row) => others.map((name) => `${name}=${row[name]}`).join(' '));
  const isNumber = ({ type, list }: Column) => !list && ['float64', 'int32'].includes(type);
  return Object.entries(table.columns)
    .filter(([name, column]) => isNumber(column) && !table.key.includes(name) && !name.endsWith('_standard_error'))
    .flatMap(([column, { symbol }]) =>
      [...groups].map(([of, rows]) => ({
        column,
        symbol,
        of,
        values: rows.map((row) => row[column] as number | null),
      })),
    );
}
