import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Table } from '../core/Table.ts';
import { RunParts } from '../runs/RunParts.ts';
import { type ReadTable, readTable } from '../tables/readTable.ts';
import type { Cell } from './planSweep.ts';
import type { SweepFolder } from './SweepFolder.ts';

/** A file of a cell's table, and where the next one begins: what it has from there on stands in that one too. */
interface Piece {
  readonly path: string;
  readonly below: number;
}

/** What there is of a cell's run: with its checkpoint, or the recording that it makes anyway. */
export function cellParts(folder: SweepFolder, cell: Cell): RunParts {
  return new RunParts(folder.run(cell), checkpointOf(cell));
}

/** The branch that a cell goes on from. */
export const checkpointOf = ({ pipeline }: Cell): string => (pipeline?.record ? 'recording' : 'checkpoint');

/** The tables of a cell that has ended, by their branches, whole: also where the run was cut off and gone on with. */
export function cellTables(folder: SweepFolder, cell: Cell): ReadonlyMap<string, () => Promise<ReadTable<Table>>> {
  const { folders, records } = cellParts(folder, cell);
  const pieces = folders.map((path, k) => ({
    path,
    below: Math.min(...records.slice(k + 1).map(({ from }) => from ?? Number.POSITIVE_INFINITY)),
  }));
  const [first] = folders;
  const files = first !== undefined && existsSync(first) ? readdirSync(first) : [];
  const names = files.filter((file) => file.endsWith('.parquet')).sort();
  return new Map(
    names.map((name) => {
      const own = pieces.map(({ path, below }): Piece => ({ path: join(path, name), below }));
      return [name.slice(0, -'.parquet'.length), () => readPieces(own.filter(({ path }) => existsSync(path)))];
    }),
  );
}

async function readPieces(pieces: readonly Piece[]): Promise<ReadTable<Table>> {
  const read = await Promise.all(pieces.map(({ path }) => readTable(path)));
  const rows = read.flatMap(({ rows }, k) =>
    pieces.length === 1 ? rows : rows.filter(({ step }) => (step as number) < pieces[k]!.below),
  );
  return { ...read[0]!, rows };
}
