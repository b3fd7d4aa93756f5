import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../../src/runs/run.ts';
import { business, economy, full } from '../../src/runs/sets.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';

let parent: string;
beforeAll(() => {
  parent = mkdtempSync(join(tmpdir(), 'brink-sets-'));
});
afterAll(() => rmSync(parent, { recursive: true, force: true }));

it.each([
  ['economy', economy, ['loss', 'sharpness'], 0],
  ['business', business, ['alignment', 'edge', 'eigenvalues', 'loss', 'sharpness'], 0],
  ['full', full, ['alignment', 'edge', 'eigenvalues', 'loss', 'sharpness', 'slices', 'spectrum', 'traces'], 1],
] as const)('%s gives a table for each of its branches, as often as it says', async (name, set, tables, spectra) => {
  const objective = regression();
  const directory = join(parent, name);
  const steps = gradientDescent(objective, { learningRate: 0.05, steps: 12, batchSize: 4 });
  const { state, branches } = await run(steps, set({ every: 3 }), { directory, progress: false });
  expect(state).toBe('finished');
  const files = readdirSync(directory).filter((file) => file.endsWith('.parquet'));
  expect(files.map((file) => file.replace('.parquet', '')).sort()).toEqual(tables);
  expect(branches).toMatchObject({ loss: { rows: 13 }, sharpness: { rows: 5 } });
  expect('spectrum' in branches ? branches.spectrum : { rows: 0 }).toMatchObject({ rows: 200 * spectra });
});

it('economy costs full-batch descent one product every so many steps', async () => {
  const objective = regression();
  const steps = gradientDescent(objective, { learningRate: 0.05, steps: 20 });
  await run(steps, economy(), { directory: join(parent, 'cheap'), progress: false });
  expect(objective.cost).toEqual({ gradients: 21, products: 3, forwards: 0 });
});

it.each([economy, business, full])('%o refuses an option that there is not', (set) => {
  expect(() => set({ evry: 5 } as object)).toThrow(`${set.name}: there is no option 'evry'. Did you mean every?`);
});
