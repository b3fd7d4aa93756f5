import { relative } from 'node:path';
import type { RunBranch, StepRun, TableEnd } from '../core/Step.ts';
import type { Table } from '../core/Table.ts';

/** Tells the rows that lie behind the end of a table from those that it holds; all do where it is not gone on with. */
export function rowsBehind(table: Table, end: TableEnd | null): (row: object) => boolean {
  if (end === null || !table.key.includes('step')) return () => true;
  return (row) => {
    const { step } = row as { readonly step?: unknown };
    if (typeof step !== 'number' || step > end.step) return true;
    return step === end.step && !end.holds(table, row as Readonly<Record<string, unknown>>);
  };
}

/** Where the table ends that a run goes on with as the file `target`; null: none. */
export function endBefore(
  run: Pick<StepRun, 'resumes'> | null,
  branch: Pick<RunBranch, 'directory'> | null,
  target: string,
): TableEnd | null {
  if (branch === null) return null;
  const name = tableName(relative(branch.directory, target));
  return run?.resumes?.tables.find(({ table }) => table === name) ?? null;
}

/** What a table is called among those of its run: its path in the run's folder, without ending. */
export const tableName = (path: string): string => path.replace(/\.[a-z]+$/, '');
