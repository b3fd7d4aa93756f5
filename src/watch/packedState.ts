import type { Table } from '../core/Table.ts';
import type { WatchedRun, WatchedTable, WatchState } from './WatchState.ts';

/** A state in which each declaration of a table stands once: the runs of a sweep have all the same. */
export interface PackedState {
  readonly title: string;
  readonly declarations: readonly Table[];
  readonly runs: readonly (Omit<WatchedRun, 'tables'> & { readonly tables: readonly PackedTable[] })[];
}
type PackedTable = Omit<WatchedTable, 'declaration'> & { readonly declaration: number | null };

export function packState({ title, runs }: WatchState): PackedState {
  const places = new Map<string, number>();
  const declarations: Table[] = [];
  const placeOf = (table: Table): number => {
    const text = JSON.stringify(table);
    const place = places.get(text) ?? declarations.push(table) - 1;
    places.set(text, place);
    return place;
  };
  const packed = runs.map((run) => ({
    ...run,
    tables: run.tables.map((table) => ({
      ...table,
      declaration: table.declaration === null ? null : placeOf(table.declaration),
    })),
  }));
  return { title, declarations, runs: packed };
}

export function unpackState({ title, declarations, runs }: PackedState): WatchState {
  return {
    title,
    runs: runs.map((run) => ({
      ...run,
      tables: run.tables.map((table) => ({
        ...table,
        declaration: table.declaration === null ? null : declarations[table.declaration]!,
      })),
    })),
  };
}
