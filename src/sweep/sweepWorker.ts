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
const { cells, planHash } = folder.read();

// Whoever asked is gone: what is not committed is begun anew by the next.
process.on('disconnect', () => process.exit(1));
process.on('message', async (index: number) => {
  const outcome = await runCell(folder, cells[index]!, planHash);
  const report: CellReport =
    typeof outcome === 'string'
      ? { index, outcome, error: null }
      : { index, outcome: outcome.state, error: outcome.error };
  process.send!(report);
});
