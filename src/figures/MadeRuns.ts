import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OperatorFunction } from 'rxjs';
import { BrinkError } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import type { Step } from '../core/Step.ts';
import type { Row, Table } from '../core/Table.ts';
import type { RunState } from '../runs/run.ts';
import { readTable } from '../tables/readTable.ts';

/** What rows are asked for by: a probe, or a table of one's own. */
type RowsOf<P> = P extends { readonly table: Table } & ((...options: never[]) => OperatorFunction<Step, infer R>)
  ? R
  : P extends { readonly table: infer T extends Table }
    ? Row<T>
    : never;

/** A run that was made for a figure. */
export interface RunOfFigure {
  /** Within the figure's folder: that of the run, and of each that went on with it after it was cut off, in order. */
  readonly folders: readonly string[];
  readonly name: string;
  readonly seed: number;
  readonly parameters: JsonObject;
}

/** A run of a figure that has been made, with its tables in memory. */
export interface MadeRun {
  readonly name: string;
  readonly parameters: JsonObject;
  readonly seed: number;
  readonly state: RunState;
  /** What the source ended with, where it failed or diverged. */
  readonly error: string | null;
  /** How many steps there were. */
  readonly steps: number;
  /**
   * The rows of a probe.
   *
   * @param probe The probe, or `{ table }` of one's own.
   * @param branch Its branch; needed where two measure by the same probe.
   * @throws BrinkError where there is no such table, or more than one.
   */
  rows<P extends { readonly table: Table }>(probe: P, branch?: string): readonly RowsOf<P>[];
}

/** The runs of a figure, of one seed. */
export interface MadeRuns {
  readonly seed: number;
  readonly all: readonly MadeRun[];
  /** One of them. @throws BrinkError where there is none of that name. */
  named(name: string): MadeRun;
}

const WHO = 'figure';

/** What run.json says of a run that has ended. */
interface EndedRun {
  readonly state: RunState;
  readonly error: string | null;
  readonly steps: number;
  readonly metadata: {
    readonly source: { readonly fork?: { readonly step: number } } | null;
    readonly user?: { readonly figure?: { readonly run?: unknown; readonly seed?: unknown } };
  };
  /** Where it went on with another. */
  readonly resumed?: { readonly step: number };
}

/** A table of a run, over all its parts. */
interface MadeTable {
  readonly branch: string;
  readonly table: Table;
  readonly rows: readonly Row<Table>[];
}

/** Reads a run's tables. @throws BrinkError where a folder holds another run. */
async function readMadeRun(directory: string, { folders, name, parameters, seed }: RunOfFigure): Promise<MadeRun> {
  const parts = folders.map((folder) => join(directory, folder));
  const records = parts.map((part) => JSON.parse(readFileSync(join(part, 'run.json'), 'utf8')) as EndedRun);
  for (const [k, { metadata }] of records.entries()) {
    const { run: own, seed: ownSeed } = metadata.user?.figure ?? {};
    if (own === name && ownSeed === seed) continue;
    throw new BrinkError(
      WHO,
      `${parts[k]} holds ${own === undefined ? 'a run of no figure' : `the run ${String(own)}, seed ${String(ownSeed)}`}, not ${name}, seed ${seed}. Put the folder back, or make the figure anew (--again).`,
    );
  }
  const { state, error = null, ...last } = records.at(-1)!;
  const first = last.metadata.source?.fork?.step ?? 0;
  const steps = last.steps + (last.resumed ? last.resumed.step - first : 0);
  const tables = joined((await Promise.all(parts.map(readTables))).flat());
  return {
    name,
    parameters,
    seed,
    state,
    error,
    steps,
    rows: (probe, branch) => {
      const fits = tables.filter((t) => t.table.name === probe.table.name && (branch ?? t.branch) === t.branch);
      const [found, ...more] = fits;
      const asked = `the table '${probe.table.name}'${branch === undefined ? '' : ` of the branch ${branch}`}`;
      if (found === undefined) {
        const there = tables.map((t) => `${t.branch} ('${t.table.name}')`).join(', ') || 'none';
        throw new BrinkError(WHO, `the run ${name} has not ${asked}. It has ${there}.`);
      }
      if (more.length > 0) {
        const branches = fits.map((t) => t.branch).join(', ');
        throw new BrinkError(WHO, `the run ${name} has ${asked} in the branches ${branches}. Name one of them.`);
      }
      return found.rows as never;
    },
  };
}

/** The tables in the folder of a run. */
function readTables(directory: string): Promise<readonly MadeTable[]> {
  const files = readdirSync(directory).filter((file) => file.endsWith('.parquet'));
  return Promise.all(
    files.sort().map(async (file) => ({
      branch: file.slice(0, -'.parquet'.length),
      ...(await readTable(join(directory, file))),
    })),
  );
}

/** One table for each branch: its pieces in order, each of which begins behind the end of those before. */
function joined(pieces: readonly MadeTable[]): readonly MadeTable[] {
  return [...Map.groupBy(pieces, ({ branch }) => branch)].map(([branch, of]) => ({
    branch,
    table: of[0]!.table,
    rows: of.flatMap(({ rows }) => rows),
  }));
}

/** The runs of a figure, by seed. */
export async function readMadeRuns(
  directory: string,
  runs: readonly RunOfFigure[],
  seeds: number,
): Promise<readonly MadeRuns[]> {
  const all = await Promise.all(runs.map((run) => readMadeRun(directory, run)));
  return Array.from({ length: seeds }, (_, seed) =>
    madeRuns(
      seed,
      all.filter((run) => run.seed === seed),
    ),
  );
}

function madeRuns(seed: number, all: readonly MadeRun[]): MadeRuns {
  return {
    seed,
    all,
    named: (name) => {
      const found = all.find((run) => run.name === name);
      if (found) return found;
      throw new BrinkError(WHO, `there is no run '${name}'. There are ${all.map((run) => run.name).join(', ')}.`);
    },
  };
}
