import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tap } from 'rxjs';
import type { JsonObject } from '../core/Json.ts';
import type { Step } from '../core/Step.ts';
import { FileLock } from '../files/FileLock.ts';
import { sayingWhy } from '../files/sayingWhy.ts';
import { MACHINE, VERSIONS } from '../files/versions.ts';
import { record } from '../recording/record.ts';
import { type RunSummary, run } from '../runs/run.ts';
import { type PreparedRun, preparePipeline } from '../runs/runPipeline.ts';
import type { Specification } from '../runs/specification.ts';
import { cellParts, cellTables, checkpointOf } from './cellTables.ts';
import { continuedSteps, stepToGoOnFrom } from './continuedCell.ts';
import type { Cell, SweepPlan } from './planSweep.ts';
import type { CellResult, SweepFolder } from './SweepFolder.ts';
import { cellRunOf } from './sweepModule.ts';

/** What became of a cell: its result, or why there is none. */
export type CellOutcome = CellResult | 'held' | 'stopped';

/**
 * Runs a cell, and commits what came of it; one that is done, or has diverged, is left as it is.
 *
 * Of one that was cut off what came before its last checkpoint stays, and it goes on from there; without one it begins
 * anew: the same bits either way.
 *
 * @returns `held` where another process is at work on it, `stopped` where a signal came.
 */
export async function runCell(folder: SweepFolder, cell: Cell, plan: SweepPlan): Promise<CellOutcome> {
  const lock = sayingWhy('sweep', `${folder.directory} can't be written`, 'Copy the sweep to where it can be.', () =>
    FileLock.take(folder.run(cell)),
  );
  if (!(lock instanceof FileLock)) return 'held';
  try {
    const before = folder.resultOf(cell.id);
    if (before !== null && before.state !== 'failed') return before;
    folder.begins(cell);
    const { exitCode } = process;
    const began = performance.now();
    const about = {
      ...{ index: cell.index, id: cell.id, planHash: plan.planHash, attempts: folder.attemptsOf(cell) },
      ...{ brink: VERSIONS.brink, processor: MACHINE.processor },
    };
    let result: CellResult;
    try {
      const { summary, from, origin } = await runOrGoOn(folder, cell, plan);
      if (summary.state === 'stopped') return 'stopped';
      const errors = [summary.error, ...Object.values(summary.branches).map(({ error }) => error)].filter(
        (e) => e != null,
      );
      // That training diverged says nothing of a branch that failed before.
      const messages = [...new Set(errors.map(({ message }) => message))];
      const isFailed = summary.state === 'failed' || (summary.state === 'finished' && errors.length > 0);
      result = {
        ...{ ...about, ...origin },
        state: isFailed ? 'failed' : summary.state === 'diverged' ? 'diverged' : 'done',
        ...{ seconds: summary.seconds, steps: from + summary.steps, error: messages.join('; ') || null },
        metrics: isFailed ? {} : await metricsOf(folder, cell, summary),
      };
    } catch (error) {
      const seconds = (performance.now() - began) / 1000;
      const why = (error as Error).message;
      result = { ...about, ...UNKNOWN, state: 'failed', seconds, steps: 0, error: why, metrics: {} };
    }
    // That a cell diverged or failed is its result, and no fault of this process.
    process.exitCode = exitCode;
    folder.commit(result);
    // Nothing goes on from it any more; of a cell that failed it may be the reason, and the next attempt begins anew.
    const isNeeded = checkpointOf(cell) === 'recording' && (result.state !== 'failed' || plan.checkpoint === null);
    if (!isNeeded) rmSync(cellParts(folder, cell).recording, { force: true });
    return result;
  } finally {
    lock.release();
  }
}

/** What a cell's numbers come from. */
type Origin = Pick<CellResult, 'engine' | 'inputHash'>;
const UNKNOWN: Origin = { engine: null, inputHash: null };

function originOf({ objective, metadata }: Step['run']): Origin {
  const { engine, data } = objective?.metadata ?? {};
  const input = JSON.stringify({ data, initialWeights: metadata?.initialWeights });
  return {
    engine: (engine as JsonObject | undefined) ?? null,
    inputHash: createHash('sha256').update(input).digest('hex'),
  };
}

/** Runs a cell from its last checkpoint, or from its beginning; and says from which step, and what it computed with. */
async function runOrGoOn(folder: SweepFolder, cell: Cell, plan: SweepPlan) {
  const { checkpoint } = plan;
  const parts = cellParts(folder, cell);
  const { steps, branches, metadata } = await prepared(folder, cell, plan);
  const from = checkpoint === null ? null : await stepToGoOnFrom(parts, checkpoint);
  let origin: Origin | null = null;
  const known = (from === null ? steps : await continuedSteps(steps, parts.recording, from)).pipe(
    tap((step) => {
      origin ??= originOf(step.run);
    }),
  );
  const isRecorded = checkpoint === null || checkpointOf(cell) in branches;
  const all = isRecorded
    ? branches
    : { ...branches, [checkpointOf(cell)]: (s: typeof steps) => s.pipe(record(undefined, { every: checkpoint })) };
  const summary = await run(known, all, {
    ...{ directory: from === null ? folder.run(cell) : parts.next, overwrite: true, signals: 'stop', metadata },
    ...(checkpoint !== null && { restartEvery: checkpoint }),
  });
  if (from === null) cellParts(folder, cell).removeStale();
  return { summary, from: from ?? 0, origin: origin ?? UNKNOWN };
}

async function prepared(folder: SweepFolder, cell: Cell, { module }: SweepPlan): Promise<PreparedRun> {
  if (module) {
    const parameters = cell.parameters!;
    return { ...(await cellRunOf(module, parameters)), metadata: { parameters, module: module.definition } };
  }
  return preparePipeline({ ...(cell.pipeline as Specification), directory: folder.run(cell) });
}

async function metricsOf(folder: SweepFolder, cell: Cell, { branches }: RunSummary) {
  const metrics: Record<string, number | string | null> = {};
  for (const [branch, read] of cellTables(folder, cell)) {
    if (!(branch in branches)) continue;
    const { table, rows } = await read();
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
