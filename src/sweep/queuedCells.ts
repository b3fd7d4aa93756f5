import { createHash } from 'node:crypto';
import type { SweepPlan } from './planSweep.ts';
import { queuedTasks } from './slurmCommands.ts';
import { cellsOfTask } from './slurmScript.ts';

/** What a sweep's jobs are named by: a copy of the folder is another sweep. */
export const sweepMark = (directory: string, { planHash }: Pick<SweepPlan, 'planHash'>): string =>
  createHash('sha256').update(`${directory}\n${planHash}`).digest('hex').slice(0, 12);

/** The cells whose tasks wait in Slurm's queue, or run. @throws BrinkError where Slurm does not answer. */
export function queuedCells(directory: string, plan: Pick<SweepPlan, 'planHash'>): ReadonlySet<number> {
  const mark = sweepMark(directory, plan);
  return new Set(queuedTasks().flatMap(({ name, task }) => cellsOfTask(name, task, mark) ?? []));
}
