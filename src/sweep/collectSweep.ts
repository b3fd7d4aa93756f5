import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { from, lastValueFrom } from 'rxjs';
import { BrinkError } from '../core/errors.ts';
import { requireFlag } from '../core/given.ts';
import type { Json, JsonObject } from '../core/Json.ts';
import { requireNames } from '../core/requireNames.ts';
import {
  bool,
  type Column,
  type Columns,
  defineTable,
  float64,
  int32,
  nullable,
  type Row,
  type Table,
  utf8,
} from '../core/Table.ts';
import { isUnbegun } from '../files/isUnbegun.ts';
import { makeFolders } from '../files/makeFolders.ts';
import type { ReadTable } from '../tables/readTable.ts';
import { logPaths } from '../tables/TableLog.ts';
import { toParquet } from '../tables/toParquet.ts';
import { cellTables } from './cellTables.ts';
import type { Cell } from './planSweep.ts';
import type { CellResult } from './SweepFolder.ts';
import { SweepFolder } from './SweepFolder.ts';
import { type CellState, countsOf, standingOf } from './sweepStatus.ts';

const WHO = 'sweep';
const INT32 = 2 ** 31;
/** What belongs to a cell is called by its name. */
const OF_CELL = /^[0-9a-f]{12}\./;

/** What was collected. */
export interface CollectedSweep {
  /** The table with a row for every planned cell. */
  readonly path: string;
  /** The folders of the tables of the cells, one file a cell. */
  readonly tables: readonly string[];
  readonly counts: Readonly<Record<CellState, number>>;
}

export interface CollectOptions {
  /**
   * Whether cells may be of several releases and engines, which `brink` and `engine` name. Default: that is refused.
   */
  readonly mixed?: boolean;
}

/**
 * Collects a sweep into dataframes: `sweep.parquet`, a row for every planned cell, also those that are missing, have
 * failed or diverged, with the last row of each of its tables; and `tables/<branch>/<id>.parquet`, every table of the
 * cells that have ended with the cell's parameters as columns. A whole folder of them is one data set for DuckDB,
 * polars and pyarrow.
 *
 * A parameter that a table has as a column already stands there as `cell_<name>`. What cells have ended is what is
 * collected: again later it is made anew.
 *
 * Cost: every table is read and written once.
 *
 * @param directory The sweep's folder.
 * @param options `mixed` (false).
 * @throws BrinkError as a rejection where there is no plan, or results are another plan's, or of other data: a file
 *   that cells read was changed in between; and, unless `mixed`, where they are another release's or another engine's.
 */
export async function collectSweep(directory: string, options: CollectOptions = {}): Promise<CollectedSweep> {
  requireNames(WHO, options, ['mixed']);
  const { mixed = false } = options;
  requireFlag(WHO, 'mixed', mixed);
  const folder = new SweepFolder(directory);
  const plan = folder.read();
  const { axes, planHash } = plan;
  const cells = standingOf(folder, plan);
  const results = new Map(cells.map(({ cell, result }) => [cell.id, result]));
  const known = [...results.values()].filter((result) => result !== null);
  requireOnePlan(known, planHash);
  if (!mixed) requireOneKind(known);
  requireSameInput(
    cells.map(({ cell }) => cell).filter(({ pipeline }) => pipeline !== undefined),
    results,
  );

  const params = Object.fromEntries(Object.entries(axes).map(([name, values]) => [name, columnOf(name, values)]));
  const names = new Set([...results.values()].flatMap((result) => Object.keys(result?.metrics ?? {})));
  const metrics = Object.fromEntries([...names].map((name) => [name, metricColumn(name, [...results.values()])]));
  const fixed = {
    cell: int32({ symbol: '', description: 'Its place in the plan.' }),
    cell_id: utf8({ symbol: '', description: 'Its name, from its pipeline.' }),
    state: utf8({ symbol: '', description: 'done, diverged, failed, running or missing.' }),
    attempts: int32({ symbol: '', description: 'How often it was begun, or gone on with.' }),
    seconds: nullable(float64({ symbol: '', description: 'Wall time of the last attempt.' })),
    steps: nullable(int32({ symbol: '', description: 'How many steps there were.' })),
    error: nullable(utf8({ symbol: '', description: 'What it ended with.' })),
    brink: nullable(utf8({ symbol: '', description: 'The release of brink that ran it.' })),
    engine: nullable(utf8({ symbol: '', description: 'What computed it, with its number of threads.' })),
    processor: nullable(utf8({ symbol: '', description: 'The processor of its machine.' })),
  };
  const own = named(params, [...Object.keys(fixed), ...names]);
  const table = defineTable({
    name: 'sweep',
    description:
      'Every planned cell of a sweep: its parameters, how it stands, and the last row of each of its tables.',
    key: ['cell'],
    columns: { ...own.columns, ...fixed, ...metrics },
  } as Table<Columns> & { key: string[] });
  const rows = cells.map(({ cell, state, result }) => {
    return {
      ...own.values(cell),
      ...{ cell: cell.index, cell_id: cell.id, state, attempts: folder.attemptsOf(cell) },
      ...{ seconds: result?.seconds ?? null, steps: result?.steps ?? null },
      ...{ error: result?.error ?? null, brink: result?.brink ?? null, processor: result?.processor ?? null },
      engine: result?.engine ? engineText(result.engine) : null,
      ...Object.fromEntries([...names].map((name) => [name, result?.metrics[name] ?? null])),
    };
  });
  const path = join(folder.directory, 'sweep.parquet');
  await write(table, rows, path, { planHash });

  const folders = new Set<string>();
  const expected = new Set<string>();
  for (const { cell, state } of cells) {
    if (state !== 'done' && state !== 'diverged') continue;
    for (const [branch, read] of cellTables(folder, cell)) {
      const into = join(folder.directory, 'tables', branch);
      makeFolders(into);
      folders.add(into);
      expected.add(join(into, `${cell.id}.parquet`));
      await withParams(await read(), join(into, `${cell.id}.parquet`), cell, params);
    }
  }
  // Of cells that have been begun anew since, or of a branch that is no more: half a data set would pass for a whole
  // one.
  const tables = join(folder.directory, 'tables');
  for (const branch of existsSync(tables) ? readdirSync(tables, { withFileTypes: true }) : []) {
    if (!branch.isDirectory()) continue;
    for (const file of readdirSync(join(tables, branch.name))) {
      const path = join(tables, branch.name, file);
      if (OF_CELL.test(file) && !expected.has(path)) rmSync(path);
    }
  }
  return { path, tables: [...folders].sort(), counts: countsOf(cells) };
}

/** A cell's table, with its parameters before its own columns. */
async function withParams(
  { table, rows, metadata }: ReadTable<Table>,
  into: string,
  cell: Cell,
  params: Columns,
): Promise<void> {
  const id = utf8({ symbol: '', description: 'The cell.' });
  const own = named(params, ['cell_id', ...Object.keys(table.columns)]);
  const values = { ...own.values(cell), cell_id: cell.id };
  const wide = { ...table, columns: { ...own.columns, cell_id: id, ...table.columns } };
  await write(
    wide,
    rows.map((row) => ({ ...values, ...row })),
    into,
    withoutPlace(metadata),
  );
}

/** What a run said of itself, but for where it lay: the same sweep in another folder has the same bytes. */
function withoutPlace(metadata: JsonObject): JsonObject {
  const { pipeline, ...user } = (metadata.user ?? {}) as { readonly pipeline?: JsonObject };
  const { directory: _, ...rest } = pipeline ?? {};
  return { ...metadata, user: { ...user, pipeline: rest } };
}

async function write(table: Table, rows: readonly object[], path: string, metadata: JsonObject): Promise<void> {
  const { part } = logPaths(path.slice(0, -'.parquet'.length));
  // What a full disk has left of a collection before holds no row, and is in nobody's way.
  if (existsSync(part) && isUnbegun(WHO, part)) rmSync(part);
  const sink = toParquet(table, { path, overwrite: true, metadata });
  await lastValueFrom(from(rows as Row<Table>[]).pipe(sink), { defaultValue: null });
}

/** Columns under names that are free, and a cell's values for them. */
function named(columns: Columns, taken: readonly string[]) {
  const used = new Set(taken);
  const names = Object.keys(columns).map((name) => {
    let own = name;
    while (used.has(own)) own = `cell_${own}`;
    used.add(own);
    return [name, own] as const;
  });
  return {
    columns: Object.fromEntries(names.map(([name, own]) => [own, columns[name]!])),
    values: ({ params }: Cell) =>
      Object.fromEntries(names.map(([name, own]) => [own, cellOf(columns[name]!, params[name]!)])),
  };
}

/** The column of an axis: of one type, whatever cells have ended. */
function columnOf(name: string, values: readonly Json[]): Column {
  const text = { symbol: '', description: `Axis ${name} of the sweep.` };
  if (values.every((value) => typeof value === 'boolean')) return bool(text);
  if (values.every((value) => typeof value === 'number')) {
    return values.every((value) => Number.isInteger(value) && Math.abs(value) < INT32) ? int32(text) : float64(text);
  }
  return utf8(text);
}

const cellOf = (column: Column, value: Json) =>
  column.type === 'utf8' && typeof value !== 'string' ? JSON.stringify(value) : value;

function metricColumn(name: string, results: readonly (CellResult | null)[]): Column {
  const text = { symbol: '', description: `Last row: ${name}.` };
  const isText = results.some((result) => typeof result?.metrics[name] === 'string');
  return nullable(isText ? utf8(text) : float64(text));
}

/** @throws BrinkError where a result was not made by the plan. */
function requireOnePlan(results: readonly CellResult[], planHash: string): void {
  const foreign = results.find((result) => result.planHash !== planHash);
  if (foreign === undefined) return;
  throw new BrinkError(
    WHO,
    `the result of cell ${foreign.index} (${foreign.id}) is of another plan. Remove it, or run that sweep in a folder of its own.`,
  );
}

/** @throws BrinkError where results were not made by one release and one engine: they are not one experiment. */
function requireOneKind(results: readonly CellResult[]): void {
  const releases = new Set(results.map(({ brink }) => brink));
  if (releases.size > 1) {
    throw new BrinkError(
      WHO,
      `the cells were run by brink ${[...releases].join(' and ')}, which need not compute the same. Remove the results of one, and run the sweep again, or collect both: mixed (--mixed).`,
    );
  }
  const engines = new Set(results.flatMap(({ engine }) => (engine ? [`${engine.name} ${engine.version}`] : [])));
  if (engines.size > 1) {
    throw new BrinkError(
      WHO,
      `the cells were computed by ${[...engines].join(' and ')}, which differ by rounding. Remove the results of one, and run the sweep again with one BRINK_ENGINE on every machine, or collect both: mixed (--mixed).`,
    );
  }
}

/** @throws BrinkError where cells that name the same files had others in them. */
function requireSameInput(cells: readonly Cell[], results: ReadonlyMap<string, CellResult | null>): void {
  const known = new Map<string, { readonly cell: Cell; readonly hash: string }>();
  for (const cell of cells) {
    const hash = results.get(cell.id)?.inputHash;
    // Of a cell that had no step, or a result of before this was noted.
    if (hash == null) continue;
    const { data, initialWeights, initialStep } = cell.pipeline!;
    const named = JSON.stringify({ data, initialWeights, initialStep });
    const other = known.get(named);
    if (other === undefined) known.set(named, { cell, hash });
    else if (other.hash !== hash) {
      throw new BrinkError(
        WHO,
        `cells ${other.cell.index} and ${cell.index} both read ${named}, and found something else there: a file was ` +
          'changed in between. Remove the results of those that had the wrong one, and run the sweep again.',
      );
    }
  }
}

const engineText = ({ name, device, version }: JsonObject) => [name, device, version].filter((part) => part).join(', ');
