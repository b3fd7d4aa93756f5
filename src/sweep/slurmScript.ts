import { basename, extname, join } from 'node:path';
import { shellWord } from '../core/shellWord.ts';

/** Tasks of one array job, and how each is run. */
export interface SlurmArray {
  /** The sweep's folder, as an absolute path. */
  readonly directory: string;
  /** What tells the sweep's jobs from others: `sweepMark`. */
  readonly mark: string;
  /** What is added to a task's number in its array: Slurm bounds those. */
  readonly offset: number;
  /** The numbers of the tasks, without the offset, ascending. */
  readonly tasks: readonly number[];
  readonly cellsPerTask: number;
  readonly threads: number;
  /** As Slurm writes it; null: that of the partition. */
  readonly time: string | null;
  /** How long before the time limit a task is told to stop, in seconds. */
  readonly grace: number;
  readonly atOnce: number | null;
  readonly requeues: number;
  /** More options of sbatch, as `--partition=gpu`. */
  readonly sbatch: readonly string[];
}

/** The command line, beside this folder: TypeScript in the repository, JavaScript in the package. */
const PROGRAM = join(import.meta.dirname, `../cli/brink${extname(import.meta.filename)}`);

/**
 * The batch script of an array job: whole, so that it can be edited and given to sbatch by hand.
 *
 * The step that srun starts hears USR2 before the time limit and TERM at a preemption (a plain batch process hears
 * neither), keeps what it has, and exits with 75; then the task puts itself back into the queue. It names its own task:
 * by the number of the job alone Slurm may requeue the whole array. A script that is cancelled hears TERM itself and
 * ends before it comes to that.
 */
export function slurmScript(array: SlurmArray): string {
  const { directory, mark, offset, tasks, cellsPerTask, threads, time, grace, atOnce, requeues, sbatch } = array;
  const options = [
    `--job-name=${jobName(array)}`,
    `--array=${ranges(tasks)}${atOnce === null ? '' : `%${atOnce}`}`,
    '--requeue',
    '--open-mode=append',
    '--ntasks=1',
    `--cpus-per-task=${threads}`,
    ...(time === null ? [] : [`--time=${time}`]),
    `--signal=USR2@${grace}`,
    `--chdir="${process.cwd()}"`,
    `--output="${join(directory, 'slurm').replaceAll('%', '%%')}/%A_%a.log"`,
    ...sbatch,
  ];
  const command = [process.execPath, PROGRAM, 'sweep', 'run', directory].map(shellWord).join(' ');
  return `#!/bin/bash
${options.map((option) => `#SBATCH ${option}`).join('\n')}
# ${mark}: tasks of ${cellsPerTask} ${cellsPerTask === 1 ? 'cell' : 'cells'} each, the first one ${offset * cellsPerTask}.
first=$(( (SLURM_ARRAY_TASK_ID + ${offset}) * ${cellsPerTask} ))
last=$(( first + ${cellsPerTask - 1} ))
srun --ntasks=1 --cpus-per-task=${threads} --kill-on-bad-exit=0 ${command} --index "$first-$last" --jobs 1
code=$?
# 75: cells are left. 140: USR2 came before the program could listen.
if { [ "$code" -eq 75 ] || [ "$code" -eq 140 ]; } && [ "\${SLURM_RESTART_COUNT:-0}" -lt ${requeues} ]; then
  scontrol requeue "\${SLURM_ARRAY_JOB_ID}_\${SLURM_ARRAY_TASK_ID}" && sleep 300
fi
exit "$code"
`;
}

/** Says of a job in the queue which cells its tasks are. */
export function jobName({ directory, mark, offset, cellsPerTask }: SlurmArray): string {
  return `${basename(directory).replace(/[^\w.]+/g, '_')}-${mark}-${offset}-${cellsPerTask}`;
}

/** The cells of a task, by its job's name; null where the job is none of the sweep's. */
export function cellsOfTask(name: string, task: number, mark: string): readonly number[] | null {
  const [, own, offset, count] = /-(\w+)-(\d+)-(\d+)$/.exec(name) ?? [];
  if (own !== mark) return null;
  return Array.from({ length: Number(count) }, (_, k) => (task + Number(offset)) * Number(count) + k);
}

/** 0, 1, 2, 5 → `0-2,5`. */
function ranges(numbers: readonly number[]): string {
  const parts: [first: number, last: number][] = [];
  for (const number of numbers) {
    const part = parts.at(-1);
    if (part && part[1] === number - 1) part[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}
