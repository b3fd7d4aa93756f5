import { FileLock } from '../files/FileLock.ts';
import { VERSIONS } from '../files/versions.ts';
import type { RunSummary } from '../runs/run.ts';
import { runPipeline } from '../runs/runPipeline.ts';
import { readTable } from '../tables/readTable.ts';
import type { Cell } from './planSweep.ts';
import type { CellResult, SweepFolder } from './SweepFolder.ts';

/** What became of a cell: its result, or why there is none. */
export type CellOutcome = CellResult | 'held' | 'stopped';

/**
 * Runs a cell, and commits what came of it; one that is done, or has diverged, is left as it is.
 *
 * What a process that was killed has left of it goes, and it begins anew: the same bits.
 *
 * @returns `held` where another process is at work on it, `stopped` where a signal came.
 */
export async function runCell(folder: SweepFolder, cell: Cell, planHash: string): Promise<CellOutcome> {
  const lock = FileLock.take(folder.run(cell));
  if (!(lock instanceof FileLock)) return 'held';
  try {
    const before = folder.resultOf(cell.id);
    if (before !== null && before.state !== 'failed') return before;
    const { exitCode } = process;
    const began = performance.now();
    const about = {
      ...{ index: cell.index, id: cell.id, planHash },
      ...{ attempts: (before?.attempts ?? 0) + 1, brink: VERSIONS.brink },
    };
    let result: CellResult;
    try {
      const summary = await runPipeline({ ...cell.pipeline, directory: folder.run(cell) }, { force: true });
      if (summary.state === 'stopped') return 'stopped';
      const errors = [summary.error, ...Object.values(summary.branches).map(({ error }) => error)].filter(
        (e) => e != null,
      );
      const isFailed = summary.state === 'failed' || (summary.state === 'finished' && errors.length > 0);
      result = {
        ...about,
        state: isFailed ? 'failed' : summary.state === 'diverged' ? 'diverged' : 'done',
        ...{ seconds: summary.seconds, steps: summary.steps, error: errors[0]?.message ?? null },
        metrics: isFailed ? {} : await metricsOf(folder, cell, summary),
      };
    } catch (error) {
      const seconds = (performance.now() - began) / 1000;
      result = { ...about, state: 'failed', seconds, steps: 0, error: (error as Error).message, metrics: {} };
    }
    // That a cell diverged or failed is its result, and no fault of this process.
    process.exitCode = exitCode;
    folder.commit(result);
    return result;
  } finally {
    lock.release();
  }
}

async function metricsOf(folder: SweepFolder, cell: Cell, { branches }: RunSummary) {
  const metrics: Record<string, number | string | null> = {};
  for (const [branch, path] of folder.tablesOf(cell)) {
    if (!(branch in branches)) continue;
    const { table, rows } = await readTable(path);
    if (table.key.join() !== 'step') continue;
    for (const [name, { list, type }] of Object.entries(table.columns)) {
      if (list || type === 'bool') continue;
      const value = rows.at(-1)?.[name] as number | string | null | undefined;
      // JSON holds no NaN: what is none is null.
      metrics[`${branch}_${name}`] = typeof value === 'number' && !Number.isFinite(value) ? null : (value ?? null);
    }
  }
  return metrics;
}
