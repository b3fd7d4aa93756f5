import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { from, lastValueFrom } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawSweep } from '../../pipelines/sweeps/figure5.ts';
import { importFigure } from '../../src/figures/importFigure.ts';
import {
  type Branch,
  collectSweep,
  crossEntropy,
  empiricalRisk,
  fileData,
  gradientDescent,
  type PlannedRun,
  planSweep,
  readTable,
  run,
  runSweep,
  type SweepRequest,
  toParquet,
  wideResnet,
  writePlan,
} from '../../src/index.ts';

const root = join(import.meta.dirname, '../..');
const request = (): SweepRequest => JSON.parse(readFileSync(join(root, 'pipelines/sweeps/figure5.json'), 'utf8'));
const images = join(root, 'fixtures/pytorch/images.npz');

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'brink-figure5-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

it.each(['5', '34'])('Figure %s measures ρ at the size of the paper, where examples are coupled', async (name) => {
  const { presets, runs } = await importFigure(join(root, `pipelines/figures/figure${name}.ts`));
  const [{ branches }] = runs(presets.paper, { data: null }) as [PlannedRun];
  const model = wideResnet({ inputShape: [8, 8, 3], outputs: 4, depth: 10, width: 1 });
  const objective = await empiricalRisk({ model, data: await fileData(images), loss: crossEntropy, chunk: 4 });
  const steps = gradientDescent(objective, { learningRate: 0.1, steps: 0 });
  const { concentration } = branches as Record<'concentration', Branch>;
  const summary = await run(steps, { concentration }, { directory: join(directory, name), progress: false });
  expect((await summary.rows('concentration'))[0]).toMatchObject({ batch_size: 8, draws: 16 });
});

describe('the sweep of Figure 5', () => {
  it('is the grid of the paper: four data sets, ten batch sizes, ten learning rates, 800 epochs', () => {
    const { cells, axes, checkpoint } = planSweep(request());
    expect([cells.length, checkpoint]).toEqual([400, 4096]);
    expect(axes.learning_rate).toEqual(Array.from({ length: 10 }, (_, k) => 0.00625 * 2 ** k));
    for (const { pipeline } of cells) {
      const { data, batchSize, every, epochs, model } = pipeline!;
      expect([epochs, model]).toEqual([800, { name: 'resnet9' }]);
      // The last step is looked at, and each run at least 50 times.
      const steps = (800 * (data.train as number)) / batchSize!;
      expect([steps % every, steps / every >= 50]).toEqual([0, true]);
    }
  });

  it('is run, collected and drawn, in small', { timeout: 240_000 }, async () => {
    const { pipeline, axes, ...rest } = request();
    const data = [8, 6].map((train) => ({ name: 'file', path: images, train, test: 4 }));
    const sweep = join(directory, 'sweep');
    writePlan(sweep, {
      ...rest,
      // A network of the same kind, with batch normalisation.
      pipeline: { ...pipeline, data: data[0]!, model: 'wideResnet:depth=10:width=1', chunk: 4, epochs: 3 },
      axes: {
        ...axes,
        ...{ data, batchSize: [2, 3], every: [3, 2], learningRate: [0.05, 1e30] },
        'probes.1.batchSizes': [[2]],
      },
      checkpoint: { every: 6 },
    });
    await expect(drawSweep(sweep)).rejects.toThrow();
    expect(await runSweep(sweep, { jobs: 1, index: [0, 3], progress: false })).toMatchObject({ failed: 0 });
    await collectSweep(sweep);
    await expect(drawSweep(sweep)).rejects.toThrow('4 of 8 cells have not ended (missing). Run them');
    const summary = await runSweep(sweep, { jobs: 1, progress: false });
    expect(summary).toMatchObject({ cells: 8, failed: 0, left: 0 });
    expect(summary.diverged).toBeGreaterThan(0);
    await collectSweep(sweep);
    const picture = readFileSync(await drawSweep(sweep), 'utf8');
    expect(picture).toContain('file, n = 8');
    expect(picture).toContain('file, n = 6');
    expect(picture).toMatch(/LSSR, ρ = \d/);

    // As of a sweep over the model too.
    const path = join(sweep, 'sweep.parquet');
    const { table, rows } = await readTable(path);
    const others = rows.map((row) => ({ ...row, cell: Number(row.cell) + rows.length }));
    await lastValueFrom(from([...rows, ...others]).pipe(toParquet(table, { path, overwrite: true })));
    await expect(drawSweep(sweep)).rejects.toThrow('8 cells of one data set and seed have 4 pairs of b and η');
  });
});
