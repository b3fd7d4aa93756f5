import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BrinkError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/Json.ts';
import type { Row, Table } from '../../core/Table.ts';
import { canBeDrawn, plotTable } from '../../plots/plotTable.ts';
import { toSvg } from '../../plots/toSvg.ts';
import { readTable } from '../../tables/readTable.ts';
import { type FigureRecord, readFigureRecord } from '../FigureRecord.ts';
import { type ClaimsRow, claimsTable } from '../judgedClaims.ts';

/** A table of a run, as a report tells of it. */
export interface ReportedTable {
  /** Its path within the part's folder. */
  readonly path: string;
  readonly sha256: string;
  readonly table: Table;
  readonly rows: readonly Row<Table>[];
}

/** A run, as a report tells of it. */
export interface ReportedRun {
  /** Its folder within the part's; '' where the part is the run. */
  readonly folder: string;
  readonly state: string;
  readonly error: string | null;
  readonly steps: number;
  readonly seconds: number;
  /** What it says of itself: versions, source, what the user adds. */
  readonly metadata: JsonObject;
  readonly branches: Readonly<Record<string, { readonly rows: number; readonly error: string | null }>>;
  readonly tables: readonly ReportedTable[];
  /** Whether it was cut off, and another run of the figure went on with it. */
  readonly goesOn: boolean;
}

/** What a report tells of: a figure with its runs, or a run alone. */
export interface ReportedPart {
  readonly directory: string;
  readonly figure: FigureRecord | null;
  readonly claims: readonly ClaimsRow[];
  /** The table of claims; null where none were fixed. */
  readonly claimsSha256: string | null;
  /** The figure's picture, or one of each of a run's tables that has numbers to draw. */
  readonly pictures: readonly { readonly caption: string; readonly svg: string }[];
  readonly runs: readonly ReportedRun[];
}

const WHO = 'report';

/**
 * Reads what a folder holds: a figure that was made, or a run.
 *
 * @throws BrinkError where it holds neither, or a table is damaged.
 */
export async function readPart(directory: string, known?: FigureRecord): Promise<ReportedPart> {
  const path = join(directory, 'figure.json');
  const figure = known ?? (existsSync(path) ? readFigureRecord(WHO, path) : null);
  if (figure === null) {
    if (!existsSync(join(directory, 'run.json'))) {
      throw new BrinkError(
        WHO,
        `${directory} holds no run (run.json) and no figure (figure.json). Name the folder of one.`,
      );
    }
    const run = await readRun(directory, '', false);
    const pictures = await Promise.all(
      run.tables
        .filter(({ table, rows }) => canBeDrawn(table, rows))
        .map(async ({ path, table, rows }) => ({
          caption: `${table.description} Drawn from ${path}.`,
          svg: await toSvg(plotTable(table, rows)),
        })),
    );
    return { directory, figure, claims: [], claimsSha256: null, pictures, runs: [run] };
  }
  const claims = join(directory, 'claims.parquet');
  return {
    directory,
    figure,
    claims: (await readTable(claims, claimsTable)).rows,
    claimsSha256: sha256(claims),
    pictures: [
      {
        caption: `Figure ${figure.figure}: ${figure.title}. Drawn from the tables in ${figure.runs.flatMap(({ folders }) => folders).join(', ') || 'closed form'}.`,
        svg: readFileSync(join(directory, 'figure.svg'), 'utf8'),
      },
    ],
    runs: await Promise.all(
      figure.runs.flatMap(({ folders }) =>
        folders.map((folder, k) => readRun(directory, folder, k < folders.length - 1)),
      ),
    ),
  };
}

async function readRun(directory: string, folder: string, goesOn: boolean): Promise<ReportedRun> {
  const path = join(directory, folder);
  const record = JSON.parse(readFileSync(join(path, 'run.json'), 'utf8'));
  const files = readdirSync(path).filter((file) => /\.(parquet|arrows)$/.test(file));
  const tables: ReportedTable[] = [];
  for (const file of files.sort()) {
    const read = await readTable(join(path, file)).catch((error: Error) => error);
    if (read instanceof Error) {
      // Recordings are Arrow too, and no tables.
      if (file.endsWith('.arrows')) continue;
      throw read;
    }
    tables.push({ path: join(folder, file), sha256: sha256(join(path, file)), table: read.table, rows: read.rows });
  }
  return {
    folder,
    state: record.state,
    error: record.error ?? null,
    steps: record.steps ?? 0,
    seconds: record.seconds ?? 0,
    metadata: record.metadata,
    branches: record.branches ?? {},
    tables,
    goesOn,
  };
}

/** SHA-256 of a file. */
export const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
