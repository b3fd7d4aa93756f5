import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { collectSweep, readTable, runSweep, sweepStatus, writePlan } from '../../src/index.ts';

const parent = mkdtempSync(join(tmpdir(), 'brink-strange-'));
afterAll(() => rmSync(parent, { recursive: true, force: true }));

/** Cells that talk with the process that runs the sweep, or end their own where nobody expects it. */
const TEXT = `
import { gradientDescent, quadratic, toParquet, trainingLoss } from '${join(import.meta.dirname, '../../src/index.ts')}';

export default ({ how, steps }) => {
  if (how === 'talks') process.send({ hello: 'from a cell' });
  if (how === 'rejects') Promise.reject(new Error('nobody waits for this'));
  if (how === 'ends behind its report') {
    const send = process.send.bind(process);
    process.send = (report) => {
      setImmediate(() => process.kill(process.pid, 'SIGKILL'));
      return send(report);
    };
  }
  return {
    steps: gradientDescent(quadratic({ A: [[2]], b: [1] }), { learningRate: 0.1, steps, initialWeights: [1] }),
    branches: { loss: (s) => s.pipe(trainingLoss(), toParquet()) },
  };
};
`;
const module = join(parent, 'cell.ts');
writeFileSync(module, TEXT);
const quiet = { jobs: 1, progress: false };

describe('cells that do what they like', { timeout: 300_000 }, () => {
  it('cost themselves alone, and each is told what became of it, and of no other', async () => {
    const folder = join(parent, 'talk');
    const how = ['talks', 'rejects', 'ends behind its report', 'is as any'];
    writePlan(folder, { module, parameters: { steps: 3 }, axes: { how } });
    await runSweep(folder, quiet);
    // The last one may have been given to a process that was about to end.
    expect(await runSweep(folder, quiet)).toMatchObject({ done: 3, failed: 1, left: 0 });
    const { cells } = sweepStatus(folder);
    expect(cells.map(({ state }) => state)).toEqual(['done', 'failed', 'done', 'done']);
    expect(cells[1]!.error).toBe('its process ended with exit code 1: nobody waits for this');
  });

  it('are collected under names that are free, beside files that are not of the sweep', async () => {
    const folder = join(parent, 'names');
    const axes = { cellId: [7], state: ['x'], cell_state: ['y'] };
    const [cell] = writePlan(folder, { module, parameters: { how: '', steps: 3 }, axes }).cells;
    await runSweep(folder, quiet);
    const tables = join(folder, 'tables');
    mkdirSync(join(tables, 'loss'), { recursive: true });
    for (const file of ['all.parquet', 'loss/mine.parquet', `loss/${'f'.repeat(12)}.parquet`]) {
      writeFileSync(join(tables, file), '');
    }
    // As a full disk leaves them.
    for (const file of ['sweep', `tables/loss/${cell!.id}`]) writeFileSync(join(folder, `${file}.arrows.part`), '');
    await collectSweep(folder);
    const { rows } = await readTable(join(folder, 'sweep.parquet'));
    expect(rows).toMatchObject([
      { cell_cell_id: 7, cell_state: 'x', cell_cell_state: 'y', cell_id: cell!.id, state: 'done' },
    ]);
    const own = await readTable(join(tables, 'loss', `${cell!.id}.parquet`));
    expect(own.rows).toHaveLength(4);
    expect(own.rows[3]).toMatchObject({ cell_cell_id: 7, state: 'x', cell_state: 'y', cell_id: cell!.id, step: 3 });
    expect(existsSync(join(tables, 'all.parquet'))).toBe(true);
    expect(existsSync(join(tables, 'loss', 'mine.parquet'))).toBe(true);
    expect(existsSync(join(tables, 'loss', `${'f'.repeat(12)}.parquet`))).toBe(false);
  });
});
