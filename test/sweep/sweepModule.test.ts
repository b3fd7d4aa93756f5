import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { collectSweep, planSweep, readTable, runSweep, sweepStatus, writePlan } from '../../src/index.ts';
import { collectedTables } from '../helpers/collectedTables.ts';

const parent = mkdtempSync(join(tmpdir(), 'brink-module-'));
afterAll(() => rmSync(parent, { recursive: true, force: true }));

/** Makes the run of a cell: a quadratic that no name describes. It kills its process at a step, where it is told to. */
const TEXT = `
import { existsSync, writeFileSync } from 'node:fs';
import { gradientDescent, quadratic, throttleSteps, toParquet, topEigenvalues } from '${join(import.meta.dirname, '../../src/index.ts')}';
import { tap } from '${import.meta.resolve('rxjs')}';
import { eigenvalues } from './eigenvalues.ts';

export default ({ learningRate, seed, marker, dying }) => {
  const A = eigenvalues.map((value, i) => eigenvalues.map((_, j) => (i === j ? value : 0)));
  const objective = quadratic({ A, b: eigenvalues.map((_, k) => k + seed) });
  const dies = dying.includes(seed) && !existsSync(marker + seed);
  const die = (step) => {
    if (!dies || step.index !== 700) return;
    writeFileSync(marker + seed, '');
    // Once the tables have written what came before.
    step.waitUntil(new Promise(() => setTimeout(() => process.kill(process.pid, 'SIGKILL'), 400)));
  };
  return {
    steps: gradientDescent(objective, { learningRate, steps: 1000, seed, initialWeights: eigenvalues.map(() => 0) }),
    branches: {
      eigenvalues: (s) => s.pipe(throttleSteps(30), topEigenvalues({ count: 2 }), toParquet()),
      dying: (s) => s.pipe(tap(die)),
    },
  };
};
`;
const module = join(parent, 'cell.ts');
writeFileSync(module, TEXT);
writeFileSync(join(parent, 'eigenvalues.ts'), 'export const eigenvalues = [3, 2, 1.5, 1, 0.5];\n');

const quiet = { progress: false };
const seeds = Array.from({ length: 30 }, (_, k) => k);
const dying = seeds.filter((seed) => seed % 10 === 3);
const request = (marker: string, own: readonly number[]) => ({
  module,
  parameters: { learningRate: 0.3, marker, dying: own },
  checkpoint: { every: 100 },
  axes: { seed: seeds },
});

describe('a sweep of a module', { timeout: 120_000 }, () => {
  it('loses none of 30 cells, of which three are killed and go on, and does none twice', async () => {
    const directory = join(parent, 'sixty');
    const { cells } = writePlan(directory, request(join(parent, 'died-'), dying));
    expect(await runSweep(directory, { ...quiet, jobs: 2 })).toMatchObject({ done: 27, failed: 3 });
    const results = () => readdirSync(join(directory, 'results')).sort();
    expect(results()).toEqual(cells.map(({ id }) => `${id}.json`).sort());
    expect(await runSweep(directory, { ...quiet, jobs: 2 })).toMatchObject({ done: 30, failed: 0, left: 0 });
    const { counts } = await collectSweep(directory);
    expect(counts).toMatchObject({ done: 30, missing: 0 });
    const { rows } = await readTable(join(directory, 'sweep.parquet'));
    expect(rows.map(({ seed }) => seed)).toEqual(seeds);
    expect(rows.map(({ attempts, steps }) => [attempts, steps])).toEqual(
      seeds.map((seed) => [dying.includes(seed) ? 2 : 1, 1001]),
    );
    // Every row of every curve once, of those that went on too.
    const steps = Array.from({ length: 34 }, (_, k) => 30 * k);
    for (const file of Object.keys(collectedTables(directory))) {
      const table = await readTable(join(directory, 'tables', file));
      expect(table.rows.map(({ step }) => step)).toEqual(steps);
    }
    expect(Object.keys(collectedTables(directory))).toHaveLength(30);
  });

  it('has the same bits in cells that were killed and in cells that were not', async () => {
    // The parameters are the same ones: the marks of death are there already.
    const [whole, cut] = [join(parent, 'whole'), join(parent, 'cut')];
    const marker = join(parent, 'again-');
    const one = { ...request(marker, [3]), axes: { seed: [3] } };
    const [cell] = writePlan(cut, one).cells;
    expect(await runSweep(cut, quiet)).toMatchObject({ failed: 1 });
    expect(await runSweep(cut, quiet)).toMatchObject({ done: 1 });
    const { resumed } = JSON.parse(readFileSync(join(cut, 'cells', `${cell!.id}.2`, 'run.json'), 'utf8'));
    expect(resumed.step).toBeGreaterThanOrEqual(100);
    writePlan(whole, one);
    expect(await runSweep(whole, quiet)).toMatchObject({ done: 1 });
    await Promise.all([collectSweep(cut), collectSweep(whole)]);
    expect(collectedTables(cut)).toEqual(collectedTables(whole));
  });

  it('fails where the module gives no run, and is refused once it has changed, or what it imports', async () => {
    const wrong = join(parent, 'wrong.ts');
    writeFileSync(wrong, "import './eigenvalues.ts';\nexport default () => ({ steps: 3 });\n");
    const directory = join(parent, 'wrong');
    writePlan(directory, { module: wrong, axes: { seed: [0] } });
    await runSweep(directory, quiet);
    expect(sweepStatus(directory).cells[0]!.error).toContain('returned no run. It must return { steps, branches }');
    writeFileSync(join(parent, 'eigenvalues.ts'), 'export const eigenvalues = [3, 2, 1];\n');
    await expect(runSweep(directory, quiet)).rejects.toThrow('has changed since the sweep was planned');
    rmSync(wrong);
    await expect(runSweep(directory, quiet)).rejects.toThrow('of the plan is gone');
  });

  it('is of the data that it was planned with, too', async () => {
    const [cell, data] = [join(parent, 'reads.ts'), join(parent, 'data.bin')];
    writeFileSync(cell, 'export default () => 1;\n');
    writeFileSync(data, Uint8Array.of(0xff, 1));
    const directory = join(parent, 'reads');
    const plan = () => writePlan(directory, { module: cell, files: [data], axes: { seed: [0] } });
    const [planned] = plan().cells;
    expect(plan().cells[0]!.id).toBe(planned!.id);
    // No text: as such these bytes would be the same.
    writeFileSync(data, Uint8Array.of(0xfe, 1));
    await expect(runSweep(directory, quiet)).rejects.toThrow(
      /data\.bin, or .* has changed since the sweep was planned/,
    );
    expect(plan).toThrow('holds the plan of another sweep');
    rmSync(data);
    await expect(runSweep(directory, quiet)).rejects.toThrow(/the file .*data\.bin of the plan is gone/);
  });

  it.each<[string, object, string]>([
    ['that reads what is not there', { module, files: [join(parent, 'nowhere.bin')] }, 'there is no file'],
    ['that is none, with files', { pipeline: { steps: 1, learningRate: 1 }, files: [] }, 'there are files, which'],
    ['that is not there', { module: join(parent, 'nowhere.ts') }, 'there is no file'],
    ['beside a pipeline', { module, pipeline: { steps: 1, learningRate: 1 } }, 'either a pipeline or a module'],
    ['that is none', { parameters: {} }, 'either a pipeline or a module'],
    ['of a pipeline with parameters', { pipeline: { steps: 1, learningRate: 1 }, parameters: {} }, 'and no module'],
  ])('refuses one %s', (_name, what, message) => {
    expect(() => planSweep({ ...what, axes: { seed: [0] } })).toThrow(message);
  });
});
