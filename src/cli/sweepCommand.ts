import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { CommandLineError } from '../runs/CommandLineError.ts';
import type { SweepRequest } from '../sweep/planSweep.ts';
import type { SubmitOptions } from '../sweep/submitSweep.ts';
import { anotherOf, numberOf } from './arguments.ts';

const WHO = 'sweep';
/** What a scheduler starts again: cells are left. */
const UNFINISHED = 75;

/** `brink sweep`. */
export function sweepCommand(): Command {
  const command = new Command('sweep').addHelpText(
    'after',
    `
A sweep is a folder: its plan, the runs of its cells, and what came of each. Several processes, on machines that share
the folder, run it together; whatever was cut off, \`run\` goes on.

Examples:
  brink sweep plan grid.json --out output/sweep
  brink sweep run output/sweep --jobs 4
  brink sweep submit output/sweep --slurm --time 60 --cells-per-task 4
  brink sweep status output/sweep
  brink sweep collect output/sweep

grid.json:
  { "pipeline": { "data": { "name": "digits", "train": 256, "test": 1024 }, "epochs": 160,
                  "learningRate": 0.1, "probes": [{ "name": "trainingLoss", "test": true, "every": 64 }] },
    "axes": { "batchSize": [4, 16, 64], "learningRate": { "from": 0.025, "to": 1.6, "count": 7, "scale": "log" },
              "seed": [0, 1, 2] } }

Exit codes: 0 done, 1 a cell failed, 2 the command line is wrong, 75 cells are left.`,
  );
  command
    .command('plan')
    .description('check a grid of pipelines, cell by cell, and write its plan; nothing runs')
    .argument('<file>', 'the grid, in JSON')
    .requiredOption('-o, --out <dir>', 'the folder of the sweep')
    .action(async (file: string, { out }: { readonly out: string }) => {
      const { writePlan } = await import('../sweep/writePlan.ts');
      const plan = writePlan(out, readJson(file) as SweepRequest);
      console.log(`${plan.cells.length} cells planned in ${out}; next: brink sweep run ${out}`);
    });
  command
    .command('run')
    .description('run the cells that have not ended')
    .argument('<dir>', 'the folder of the sweep')
    .option('-j, --jobs <k>', 'cells at once (default: as many as there are cores)', numberOf)
    .option('--index <i>', 'one cell alone, or some: 4-7; auto: the one that an array job of Slurm, … gives')
    .action(async (dir: string, { jobs, index }: { readonly jobs?: number; readonly index?: string }) => {
      const { runSweep } = await import('../sweep/runSweep.ts');
      const only = index === undefined ? {} : { index: await indexOf(index) };
      const summary = await runSweep(dir, { ...(jobs !== undefined && { jobs }), ...only });
      const { done, diverged, failed, left } = summary;
      console.log(`${done} done, ${diverged} diverged, ${failed} failed, ${left} left`);
      if (left > 0 || summary.stopped) process.exitCode = UNFINISHED;
      else if (failed > 0) process.exitCode = 1;
    });
  command
    .command('submit')
    .description('submit the cells that have not ended as an array job; again: those that are not in the queue either')
    .argument('<dir>', 'the folder of the sweep, which all nodes share')
    .requiredOption('--slurm', 'to Slurm')
    .option('--print', 'print the script and submit nothing')
    .option('--time <limit>', "a task's time limit, as Slurm writes it: 90, 12:00:00 (default: the partition's)")
    .option('--grace <seconds>', 'how long before it a task is told to stop (default: 120)', numberOf)
    .option('--at-once <tasks>', 'tasks at once (default: as many as Slurm gives)', numberOf)
    .option('--cells-per-task <k>', 'cells that one task runs, one after the other (default: 1)', numberOf)
    .option('--requeues <n>', 'how often a task that was stopped goes back into the queue (default: 20)', numberOf)
    .option('--sbatch <option>', 'another option of sbatch, as --sbatch=--partition=gpu; may be given again', anotherOf)
    .action(async (dir: string, { slurm: _, ...options }: SubmitOptions & { readonly slurm: true }) => {
      const { submitSweep } = await import('../sweep/submitSweep.ts');
      const { jobs, cells, queued, ended } = submitSweep(dir, options);
      if (options.print) {
        const cut = (k: number) =>
          `# The rest is another script, ${k + 1} of ${jobs.length}: one array can't have so many tasks.\n`;
        process.stdout.write(jobs.map(({ script }, k) => (k === 0 ? script : cut(k) + script)).join(''));
        return;
      }
      for (const { job, tasks } of jobs) console.log(`job ${job}: ${tasks} ${tasks === 1 ? 'task' : 'tasks'}`);
      console.log(`${cells} cells submitted, ${queued} in the queue before, ${ended} ended`);
    });
  command
    .command('status')
    .description('show how the cells stand, as a picture of the grid')
    .argument('<dir>', 'the folder of the sweep')
    .option('--json', 'print JSON')
    .action(async (dir: string, { json }: { readonly json?: true }) => {
      const { cells, counts, picture } = await statusOf(dir);
      if (json) {
        const rows = cells.map(({ cell: { index, id, params }, state, error }) => ({
          index,
          id,
          params,
          state,
          error,
        }));
        console.log(JSON.stringify({ counts, cells: rows }, null, 2));
        return;
      }
      console.log(picture);
      console.log(
        Object.entries(counts)
          .flatMap(([state, n]) => (n > 0 ? [`${n} ${state}`] : []))
          .join(', '),
      );
      for (const { cell, state, error } of cells) {
        if (state === 'failed') console.log(`cell ${cell.index} ${JSON.stringify(cell.params)}: ${error}`);
      }
    });
  command
    .command('collect')
    .description('write sweep.parquet, a row a cell, and the tables of all cells with their parameters')
    .argument('<dir>', 'the folder of the sweep')
    .option('--mixed', 'also cells that several releases or engines have computed')
    .action(async (dir: string, { mixed = false }: { readonly mixed?: boolean }) => {
      const { collectSweep } = await import('../sweep/collectSweep.ts');
      const { path, tables, counts } = await collectSweep(dir, { mixed });
      console.log(path);
      for (const table of tables) console.log(`${table}/*.parquet`);
      const open = counts.missing + counts.running;
      const said = [
        ...(open > 0 ? [`${open} have not ended`] : []),
        ...(counts.failed > 0 ? [`${counts.failed} failed`] : []),
      ];
      if (said.length > 0) console.log(`of the cells ${said.join(', ')}: these are there without results`);
    });
  return command;
}

async function indexOf(text: string): Promise<number | readonly [number, number]> {
  const [, first, last] = /^(\d+)-(\d+)$/.exec(text) ?? [];
  if (last !== undefined) return [Number(first), Number(last)];
  if (text !== 'auto') return numberOf(text);
  const { indexFromEnvironment } = await import('../sweep/indexFromEnvironment.ts');
  const { index, from } = indexFromEnvironment();
  console.error(`cell ${index}, from ${from}`);
  return index;
}

/** With what waits in Slurm's queue, where the sweep was submitted; what Slurm doesn't say the files say without it. */
async function statusOf(dir: string) {
  const { sweepStatus } = await import('../sweep/sweepStatus.ts');
  if (!existsSync(join(dir, 'slurm'))) return sweepStatus(dir);
  try {
    return sweepStatus(dir, { slurm: true });
  } catch (error) {
    const known = sweepStatus(dir);
    console.error(`${(error as Error).message.replace(/\.?$/, '.')} Which cells wait in the queue is not known.`);
    return known;
  }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new CommandLineError(WHO, `${file} can't be read as a grid: ${(cause as Error).message}`, { cause });
  }
}
