// Runs cells of a sweep, one after the other, as the process that forked this one names them.
import '../runs/withoutMaglev.ts';
import { runCell } from './runCell.ts';
import { SweepFolder } from './SweepFolder.ts';

/** What a worker says of a cell. */
export interface CellReport {
  readonly index: number;
  readonly outcome: 'done' | 'diverged' | 'failed' | 'held' | 'stopped';
  readonly error: string | null;
}

const folder = new SweepFolder(process.argv[2]!);
const plan = folder.read();

// Slurm signals all processes of a task; the one that forked this one passes on what it means.
process.on('SIGUSR2', () => {});
// What it says last is told of the cell: the reason, not where in which file.
process.on('uncaughtException', (error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
// Whoever asked is gone: what is not committed is begun anew by the next.
process.on('disconnect', () => process.exit(1));
process.on('message', async (index: number) => {
  const outcome = await runCell(folder, plan.cells[index]!, plan);
  const report: CellReport =
    typeof outcome === 'string'
      ? { index, outcome, error: null }
      : { index, outcome: outcome.state, error: outcome.error };
  process.send!(report);
});
