import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { from, lastValueFrom } from 'rxjs';
import { BrinkError, requireInteger, requireNumber } from '../core/errors.ts';
import { type JsonObject, requireJson } from '../core/Json.ts';
import { requireNames } from '../core/requireNames.ts';
import { makeFolders } from '../files/makeFolders.ts';
import { VERSIONS } from '../files/versions.ts';
import { writeWhole } from '../files/WholeFile.ts';
import { toSvg } from '../plots/toSvg.ts';
import { run } from '../runs/run.ts';
import { readTable } from '../tables/readTable.ts';
import { toParquet } from '../tables/toParquet.ts';
import { definitionHash } from './definitionHash.ts';
import type { FigureRecord } from './FigureRecord.ts';
import { plannedRuns, presetOf, type SeededRun } from './figure.ts';
import { importFigure } from './importFigure.ts';
import { type ClaimsRow, claimsTable, judgedClaim } from './judgedClaims.ts';
import { readMadeRuns } from './MadeRuns.ts';
import { madeBy } from './madeBy.ts';
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

/** The states in which a run needs no more. Divergence can be the finding. */
const DONE = ['finished', 'diverged'];

/**
 * Makes a figure from its file: its runs with their tables, the claims, the picture and the report.
 *
 * In `<directory>/<scale>/<name>` it leaves the tables of every run (`runs/<run>-seed-<seed>/`), `claims.parquet`,
 * `figure.svg`, `report.html` and `figure.json`. One that is there already is not made again, unless its file, what
 * that imports from beside it, the preset, the number of seeds or brink's version is another (a SHA-256 of them). One
 * that was cut off goes on: runs that have ended stay, and the one that was at work begins anew, which with the same
 * seed gives the same rows.
 *
 * With one seed an interval speaks of this run; with several it is Student's between seeds.
 *
 * Cost: that of the runs. Where they say their `work` (the paper's scale), one gradient and one product on 32 examples
 * are timed first, and what would take longer than `hours` in all is refused with the estimate.
 *
 * @param file The file that exports the figure as its default.
 * @param options `scale` ('laptop'), `directory` ('output/figures'), `seeds` (1), `data` (none), `hours` (2), `again`
 *   (false), `redraw` (false), `progress` (true).
 * @throws BrinkError as a rejection where the file exports no figure, an option is out of range, the runs would take too
 *   long, or a run failed. What was measured is kept.
 */
export async function makeFigure(file: string | URL, options: MakeFigureOptions = {}): Promise<MadeFigure> {
  requireNames(WHO, options, ['scale', 'directory', 'seeds', 'data', 'hours', 'again', 'redraw', 'progress']);
  const { scale = 'laptop', seeds = 1, data = null, hours = 2, again = false, redraw = false } = options;
  const { progress = true } = options;
  requireInteger(WHO, 'seeds', seeds, 1);
  requireNumber(WHO, 'hours', hours, 0);
  const path = resolve(file instanceof URL ? fileURLToPath(file) : file);
  const declared = await importFigure(path);
  const preset = presetOf(declared, scale);
  requireJson(WHO, `the preset '${scale}'`, preset);
  const definition = definitionHash(path, { preset, seeds, brink: VERSIONS.brink });
  const directory = resolve(options.directory ?? 'output/figures', scale, declared.name);
  const paths = {
    record: join(directory, 'figure.json'),
    claims: join(directory, 'claims.parquet'),
    picture: join(directory, 'figure.svg'),
    report: join(directory, 'report.html'),
  };
  const made = { name: declared.name, scale, directory };
  const isWhole = Object.values(paths).every((part) => existsSync(part)) && definitionIn(paths.record) === definition;
  if (isWhole && !again && !redraw) {
    return { ...made, claims: (await readTable(paths.claims, claimsTable)).rows, wasThere: true };
  }
  const tell = (line: string) => {
    if (progress) process.stderr.write(`figure ${declared.name} (${scale}): ${line}\n`);
  };

  makeFolders(directory);
  // From here on it is not whole.
  rmSync(paths.record, { force: true });
  const planned = plannedRuns(declared, scale, { data });
  const cells = Array.from({ length: seeds }, (_, seed) => planned.map((plan) => ({ plan, seed }))).flat();
  const folderOf = ({ plan, seed }: SeededRun) => join('runs', `${plan.name}-seed-${seed}`);
  const isMade = (cell: SeededRun) => {
    const run = recordOf(join(directory, folderOf(cell)));
    return run !== null && DONE.includes(run.state) && (redraw || run.definition === definition);
  };
  const missing = cells.filter((cell) => !isMade(cell) || again);
  if (redraw && missing.length > 0) {
    throw new BrinkError(
      WHO,
      `${missing.length} runs of figure ${declared.name} have not been made, ${folderOf(missing[0]!)} first. There is nothing to draw anew; make them without redraw.`,
    );
  }
  await requireTime(`figure ${declared.name}, ${scale},`, missing, hours, tell);
  for (const [k, cell] of missing.entries()) {
    tell(`run ${cell.plan.name}, seed ${cell.seed} (${cells.length - missing.length + k + 1} of ${cells.length})`);
    const about = { name: declared.name, scale, definition, run: cell.plan.name, seed: cell.seed };
    await makeRun(cell, join(directory, folderOf(cell)), { figure: about }, progress);
  }

  const runs = cells.map((cell) => ({
    folder: folderOf(cell),
    name: cell.plan.name,
    seed: cell.seed,
    parameters: cell.plan.parameters,
  }));
  const bySeed = await readMadeRuns(directory, runs, seeds);
  const claims = declared.claims(preset).map((claim) => judgedClaim(declared.name, scale, claim, bySeed));
  await lastValueFrom(from(claims).pipe(toParquet(claimsTable, { path: paths.claims, overwrite: true })), {
    defaultValue: null,
  });
  writeWhole(paths.picture, await toSvg(declared.plot(bySeed[0]!, preset)));
  const record: FigureRecord = {
    figure: declared.name,
    title: declared.title,
    source: declared.source,
    about: declared.about,
    scale,
    preset: preset as JsonObject,
    seeds,
    definition,
    file: relative(process.cwd(), path),
    settings: declared.settings(preset),
    runs,
    madeBy: madeBy(),
  };
  await writeReport([{ directory, figure: record }], paths.report);
  writeWhole(paths.record, `${JSON.stringify(record, null, 2)}\n`);
  return { ...made, claims, wasThere: false };
}

async function makeRun({ plan, seed }: SeededRun, directory: string, metadata: JsonObject, progress: boolean) {
  const { exitCode } = process;
  const steps = await plan.steps(seed);
  const summary = await run(steps, plan.branches, { directory, overwrite: true, metadata, progress });
  if (summary.state === 'diverged' && Object.values(summary.branches).every(({ error }) => error === undefined)) {
    process.exitCode = exitCode;
    return;
  }
  if (summary.state === 'finished') return;
  const errors = [summary.error, ...Object.values(summary.branches).map(({ error }) => error)];
  const why = errors.find((error) => error !== undefined)?.message ?? 'it was stopped';
  throw new BrinkError(
    WHO,
    `the run ${plan.name}, seed ${seed}, ${summary.state}: ${why} Its rows are in ${directory}.`,
  );
}

/** What a run's record says of how it ended, and of what made it; null where there is none. */
function recordOf(directory: string): { readonly state: string; readonly definition: unknown } | null {
  const run = readJson(join(directory, 'run.json')) as {
    state: string;
    metadata?: { user?: { figure?: { definition?: unknown } } };
  } | null;
  return run && { state: run.state, definition: run.metadata?.user?.figure?.definition };
}

const definitionIn = (path: string): unknown => (readJson(path) as { definition?: unknown } | null)?.definition;

/** What a crash has cut off is no record. */
function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}
