import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { from, lastValueFrom } from 'rxjs';
import { BrinkError, requireInteger, requireNumber } from '../core/errors.ts';
import { type JsonObject, requireJson } from '../core/Json.ts';
import { requireNames } from '../core/requireNames.ts';
import { FileLock } from '../files/FileLock.ts';
import { makeFolders } from '../files/makeFolders.ts';
import { sayingWhy } from '../files/sayingWhy.ts';
import { writeWhole } from '../files/WholeFile.ts';
import { toSvg } from '../plots/toSvg.ts';
import { RunParts } from '../runs/RunParts.ts';
import { readTable } from '../tables/readTable.ts';
import { toParquet } from '../tables/toParquet.ts';
import { dataHash } from './dataHash.ts';
import { definitionHash } from './definitionHash.ts';
import type { FigureRecord } from './FigureRecord.ts';
import { CHECKPOINT, type Figure, plannedRuns, presetOf, type SeededRun } from './figure.ts';
import { importFigure } from './importFigure.ts';
import { type ClaimsRow, claimsTable, judgedClaim } from './judgedClaims.ts';
import { type MadeRuns, type RunOfFigure, readMadeRuns } from './MadeRuns.ts';
import { madeBy } from './madeBy.ts';
import { makeRun } from './makeRun.ts';
import { writeReport } from './report/writeReport.ts';
import { requireTime } from './requireTime.ts';

/** How a figure is made. */
export interface MakeFigureOptions {
  /** The preset; default 'laptop'. */
  readonly scale?: string;
  /** The folder of all figures; default 'output/figures'. This one goes into `<scale>/<name>` in it. */
  readonly directory?: string;
  /** Over how many seeds; default 1. */
  readonly seeds?: number;
  /** The folder, or a file, of the data that brink does not bring; default: none. */
  readonly data?: string;
  /** What runs that say what they cost may take in all, in hours; default 2. */
  readonly hours?: number;
  /** Whether a figure that is there already is made anew; default false. */
  readonly again?: boolean;
  /** Whether picture and claims are made anew from the tables that are there, whatever made them; default false. */
  readonly redraw?: boolean;
  /** Whether progress is shown on standard error; default true. */
  readonly progress?: boolean;
}

/** A figure that has been made. */
export interface MadeFigure {
  readonly name: string;
  readonly scale: string;
  /** Its folder: `figure.svg`, `report.html`, `claims.parquet`, `figure.json` and the runs. */
  readonly directory: string;
  readonly claims: readonly ClaimsRow[];
  /** Whether it was there already. */
  readonly wasThere: boolean;
}

const WHO = 'makeFigure';

/**
 * Makes a figure from its file: its runs with their tables, the claims, the picture and the report.
 *
 * In `<directory>/<scale>/<name>` it leaves the tables of every run (`runs/<run>-seed-<seed>/`), `claims.parquet`,
 * `figure.svg`, `report.html` and `figure.json`. One that is there already is not made again, unless its file, what
 * that imports from beside it, the preset, the number of seeds, the bytes of the data that are named or brink's version
 * is another (a SHA-256 of them); one that was drawn anew from runs of another definition is. One that was cut off goes
 * on: runs that have ended stay, and the one that was at work begins anew, which with the same seed gives the same
 * rows, or, where it has a checkpoint, goes on from its recording, in a folder of its own (`….2`). Two processes don't
 * make one figure at once.
 *
 * With one seed an interval speaks of this run; with several it is Student's between seeds.
 *
 * Cost: that of the runs. Where they say their `work` (the paper's scale), one gradient and one product on 32 examples
 * are timed first, and what would take longer than `hours` in all is refused with the estimate.
 *
 * @param file The file that exports the figure as its default.
 * @param options `scale` ('laptop'), `directory` ('output/figures'), `seeds` (1), `data` (none), `hours` (2), `again`
 *   (false), `redraw` (false), `progress` (true).
 * @throws BrinkError as a rejection where the file exports no figure, an option is out of range, the runs would take
 *   too long, a run failed, or another process is making it. What was measured is kept.
 */
export async function makeFigure(file: string | URL, options: MakeFigureOptions = {}): Promise<MadeFigure> {
  requireNames(WHO, options, ['scale', 'directory', 'seeds', 'data', 'hours', 'again', 'redraw', 'progress']);
  const { scale = 'laptop', seeds = 1, hours = 2, again = false, redraw = false, progress = true } = options;
  requireInteger(WHO, 'seeds', seeds, 1);
  requireNumber(WHO, 'hours', hours, 0);
  const path = resolve(file instanceof URL ? fileURLToPath(file) : file);
  const declared = await importFigure(path);
  const preset = presetOf(declared, scale) as JsonObject;
  requireJson(WHO, `the preset '${scale}'`, preset);
  const data = options.data === undefined ? null : resolve(options.data);
  const dataSha256 = data === null ? null : await dataHash(WHO, data);
  const definition = definitionHash(path, { preset, seeds, dataSha256 });
  const directory = resolve(options.directory ?? 'output/figures', scale, declared.name);
  if (!again && !redraw && isWhole(directory, definition)) {
    const { rows } = await readTable(join(directory, FILES.claims), claimsTable);
    return { name: declared.name, scale, directory, claims: rows, wasThere: true };
  }
  const planned = plannedRuns(declared, scale, { data: options.data ?? null });
  const cells = Array.from({ length: seeds }, (_, seed) => planned.map((plan) => ({ plan, seed }))).flat();
  const lock = sayingWhy(WHO, `${directory} can't be written`, 'Name a folder that can.', () => {
    makeFolders(directory);
    return FileLock.take(join(directory, FILES.record));
  });
  if (!(lock instanceof FileLock)) {
    throw new BrinkError(
      WHO,
      `${directory} is being made by process ${lock.pid} on ${lock.host}. Two would mix their runs; wait for it, or name another directory.`,
    );
  }
  try {
    const request = { declared, path, scale, preset, seeds, data, dataSha256, definition, directory, cells };
    return await make(request, { hours, again, redraw, progress });
  } finally {
    lock.release();
  }
}

/** The files of a figure that is whole. */
const FILES = { record: 'figure.json', claims: 'claims.parquet', picture: 'figure.svg', report: 'report.html' };

/** Whether a folder holds a figure with all its files, that and whose runs one definition has made. */
function isWhole(directory: string, definition: string): boolean {
  if (!Object.values(FILES).every((file) => existsSync(join(directory, file)))) return false;
  const record = readJson(join(directory, FILES.record)) as FigureRecord | null;
  if (record?.definition !== definition) return false;
  // After `redraw` the runs can be another definition's.
  return record.runs.every(({ folders }) => new RunParts(join(directory, folders[0]!), CHECKPOINT).isOf(definition));
}

interface Request {
  readonly declared: Figure;
  readonly path: string;
  readonly scale: string;
  readonly preset: JsonObject;
  readonly seeds: number;
  readonly data: string | null;
  readonly dataSha256: string | null;
  readonly definition: string;
  readonly directory: string;
  readonly cells: readonly SeededRun[];
}

async function make(
  { declared, path, scale, preset, seeds, data, dataSha256, definition, directory, cells }: Request,
  { hours, again, redraw, progress }: Required<Pick<MakeFigureOptions, 'hours' | 'again' | 'redraw' | 'progress'>>,
): Promise<MadeFigure> {
  const tell = (line: string) => {
    if (progress) process.stderr.write(`figure ${declared.name} (${scale}): ${line}\n`);
  };
  const folderOf = ({ plan, seed }: SeededRun) => join('runs', `${plan.name}-seed-${seed}`);
  const partsOf = (cell: SeededRun) => new RunParts(join(directory, folderOf(cell)), CHECKPOINT);
  const isMade = (cell: SeededRun) => {
    const parts = partsOf(cell);
    return parts.isDone && (redraw || parts.isOf(definition));
  };
  const missing = cells.filter((cell) => !isMade(cell) || again);
  if (redraw && missing.length > 0) {
    throw new BrinkError(
      WHO,
      `${missing.length} runs of figure ${declared.name} have not been made, ${folderOf(missing[0]!)} first. There is nothing to draw anew; make them without redraw.`,
    );
  }
  const costly = missing.map((cell) => ({ ...cell, from: again ? null : partsOf(cell).goesOnFrom(definition) }));
  await requireTime(`figure ${declared.name}, ${scale},`, costly, hours, tell);
  // From here on it is not whole.
  rmSync(join(directory, FILES.record), { force: true });
  for (const [k, cell] of missing.entries()) {
    tell(`run ${cell.plan.name}, seed ${cell.seed} (${cells.length - missing.length + k + 1} of ${cells.length})`);
    const about = { name: declared.name, scale, definition, run: cell.plan.name, seed: cell.seed };
    const folder = join(directory, folderOf(cell));
    await makeRun(cell, { folder, definition, metadata: { figure: about }, again, progress });
  }

  const runs: readonly RunOfFigure[] = cells.map((cell) => ({
    folders: partsOf(cell).folders.map((folder) => relative(directory, folder)),
    name: cell.plan.name,
    seed: cell.seed,
    parameters: cell.plan.parameters,
  }));
  const bySeed = await readMadeRuns(directory, runs, seeds);
  const claims = declared.claims(preset).map((claim) => judgedClaim(declared.name, scale, claim, bySeed));
  requireSame(claims, declared, scale, preset, await readMadeRuns(directory, runs, seeds));
  await lastValueFrom(
    from(claims).pipe(toParquet(claimsTable, { path: join(directory, FILES.claims), overwrite: true })),
    {
      defaultValue: null,
    },
  );
  write(join(directory, FILES.picture), await toSvg(declared.plot(bySeed[0]!, preset, bySeed)));
  const record: FigureRecord = {
    figure: declared.name,
    title: declared.title,
    source: declared.source,
    about: declared.about,
    scale,
    preset,
    seeds,
    data,
    dataSha256,
    definition,
    file: relative(process.cwd(), path),
    settings: declared.settings(preset),
    runs,
    madeBy: madeBy(),
  };
  await writeReport([{ directory, figure: record }], join(directory, FILES.report));
  write(join(directory, FILES.record), `${JSON.stringify(record, null, 2)}\n`);
  return { name: declared.name, scale, directory, claims, wasThere: false };
}

/** Measures every claim once more, from tables that are read once more: a number that does not come again is none. */
function requireSame(
  claims: readonly ClaimsRow[],
  declared: Figure,
  scale: string,
  preset: JsonObject,
  bySeed: readonly MadeRuns[],
): void {
  for (const [k, claim] of declared.claims(preset).entries()) {
    const [once, again] = [claims[k]!, judgedClaim(declared.name, scale, claim, bySeed)];
    for (const column of Object.keys(once) as (keyof ClaimsRow)[]) {
      if (Object.is(once[column], again[column])) continue;
      throw new BrinkError(
        WHO,
        `the claim ${claim.id} of figure ${declared.name} has ${column} ${once[column]}, and measured again from the same tables ${again[column]}. A claim must be a function of the tables alone; without chance, or with a seed.`,
      );
    }
  }
}

function write(path: string, text: string): void {
  const advice = 'The runs are there; make room, and call again.';
  sayingWhy(WHO, `${path} can't be written`, advice, () => writeWhole(path, text));
}

/** What a crash has cut off is no record. */
function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}
