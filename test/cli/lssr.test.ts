import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tunedSweep } from '../../src/cli/tunedSweep.ts';
import { gradientConcentration } from '../../src/probes/gradientConcentration.ts';
import { scalingRule } from '../../src/probes/scalingRule.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { run } from '../../src/runs/run.ts';
import { collectSweep } from '../../src/sweep/collectSweep.ts';
import { runSweep } from '../../src/sweep/runSweep.ts';
import { writePlan } from '../../src/sweep/writePlan.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { toArrow } from '../../src/tables/toArrow.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { bestLearningRates } from '../../src/theory/bestLearningRates.ts';
import { lssr } from '../../src/theory/lssr.ts';
import { rhoOfRun } from '../../src/theory/rhoOfRun.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';
import { brink } from './brinkProcess.ts';

const known = ['--n', '12', '--batch-size', '4', '--learning-rate', '0.05', '--for', '2,8'];
let directory: string;
beforeAll(async () => {
  directory = join(mkdtempSync(join(tmpdir(), 'brink-lssr-')), 'run');
  const steps = gradientDescent(regression(), { learningRate: 0.05, steps: 30, batchSize: 4 });
  await run(
    steps,
    {
      concentration: (s) => s.pipe(gradientConcentration({ batchSizes: [2, 12] }), toParquet()),
      scaling: (s) => s.pipe(scalingRule({ batchSizes: [2] }), toArrow()),
      loss: (s) => s.pipe(trainingLoss(), toParquet()),
    },
    { directory, progress: false },
  );
});
afterAll(() => rmSync(join(directory, '..'), { recursive: true }));

describe('brink lssr --from', { timeout: 60_000 }, () => {
  it.each(['concentration.parquet', 'scaling.arrows'])('takes ρ of the run from %s', async (file) => {
    const { rows } = await readTable(join(directory, file));
    const { rho, blockStandardError } = rhoOfRun(rows as never, 12);
    const { stdout, code } = await brink(['lssr', '--from', join(directory, file), ...known, '--json']);
    expect(code).toBe(0);
    const options = { n: 12, rho, rhoStandardError: blockStandardError!, batchSize: 4, learningRate: 0.05 };
    expect(JSON.parse(stdout)).toEqual({
      ...{ n: 12, learningRate: 0.05 },
      rho,
      rhoStandardError: blockStandardError,
      ...lssr({ ...options, batchSizes: [2, 8] }),
    });
    const text = (await brink(['lssr', '--from', join(directory, file), ...known])).stdout;
    expect(text).toContain(
      `ρ = ${rho.toPrecision(3)} ± ${blockStandardError!.toPrecision(3)} (over blocks of the run)`,
    );
  });

  it.each<[string, string[], RegExp]>([
    ['no ρ at all', [], /lssr: there is no ρ\. Give --rho, or --from a table/],
    ['two', ['--rho', '0.1', '--from', 'x.parquet'], /'--from <table>' cannot be used with option '--rho <rho>'/],
  ])('refuses %s', async (_, more, message) => {
    const { stderr, code } = await brink(['lssr', ...known, ...more]);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });

  it('answers for each batch size that is named, at once or again', async () => {
    const ask = async (...sizes: string[]) =>
      (await brink(['lssr', '--rho', '0.1', ...known.slice(0, 6), ...sizes.flatMap((b) => ['--for', b])])).stdout;
    expect(await ask('2', '8')).toBe(await ask('2,8'));
  });

  it('draws batches as the run did', async () => {
    const folder = join(directory, '..', 'replacement');
    const steps = gradientDescent(regression(), { learningRate: 0.05, steps: 5, batchSize: 4, replacement: true });
    await run(
      steps,
      { scaling: (s) => s.pipe(scalingRule({ batchSizes: [2] }), toParquet()) },
      { directory: folder, progress: false },
    );
    const path = join(folder, 'scaling.parquet');
    const { rho, standardError } = rhoOfRun((await readTable(path)).rows as never, 12);
    const { stdout } = await brink(['lssr', '--from', path, ...known, '--json']);
    const options = { n: 12, rho, rhoStandardError: standardError, batchSize: 4, learningRate: 0.05 };
    expect(JSON.parse(stdout)).toMatchObject(lssr({ ...options, batchSizes: [2, 8], replacement: true }));
  });

  it('refuses a table that has no ρ in it, and a file that is not there', async () => {
    const loss = await brink(['lssr', ...known, '--from', join(directory, 'loss.parquet')]);
    expect(loss.stderr).toMatch(/rows\[0\] has neither trace_S_b nor trace_S_1/);
    expect(loss.code).toBe(2);
    const none = await brink(['lssr', ...known, '--from', join(directory, 'none.parquet')]);
    expect(none.stderr).toContain('none.parquet');
    expect(none.code).not.toBe(0);
  });
});

describe('brink lssr --from sweep.parquet', { timeout: 120_000 }, () => {
  const grid = {
    pipeline: {
      ...{ data: { name: 'digits', train: 64, test: 64 }, steps: 16, learningRate: 0.1 },
      model: { name: 'mlp', hidden: [8] },
      probes: [
        { name: 'trainingLoss', test: true, every: 4 },
        { name: 'gradientConcentration', batchSizes: [1, 8, 32], every: 4 },
      ],
    },
    axes: { batchSize: [4, 16], learningRate: [0.1, 0.4] },
  };
  let sweep: string;
  beforeAll(async () => {
    sweep = join(directory, '..', 'sweep');
    writePlan(sweep, grid);
    await runSweep(sweep, { jobs: 1, progress: false });
    await collectSweep(sweep);
  }, 60_000);
  const ask = (...more: string[]) => brink(['lssr', '--from', join(sweep, 'sweep.parquet'), ...more]);

  it('starts from the best learning rate of a batch size, with n and ρ of the runs', async () => {
    const { rows } = await readTable(join(sweep, 'sweep.parquet'));
    const best = bestLearningRates(
      rows.map((row) => ({
        ...{ batchSize: Number(row.batch_size), learningRate: Number(row.learning_rate) },
        score: Number(row.loss_test_accuracy),
      })),
    );
    const traces: Record<string, unknown>[] = [];
    for (const { batchSize, learningRate } of best) {
      const rate = [0.1, 0.4].toSorted(
        (a, b) => Math.abs(Math.log(a / learningRate)) - Math.abs(Math.log(b / learningRate)),
      )[0];
      const cell = rows.find((row) => row.batch_size === batchSize && row.learning_rate === rate)!;
      const table = await readTable(join(sweep, 'tables', 'concentration', `${cell.cell_id}.parquet`));
      traces.push(...table.rows.filter((row) => row.batch_size === 1));
    }
    // Each step counts once, of however many b.
    const { steps, blockStandardError } = (await tunedSweep(join(sweep, 'sweep.parquet'), rows)).rho;
    expect([steps, blockStandardError]).toEqual([10, null]);
    const sum = (of: (row: (typeof traces)[number]) => number) => traces.reduce((total, row) => total + of(row), 0);
    const { stdout, code } = await ask('--batch-size', '16', '--for', '4,32', '--json');
    expect(code).toBe(0);
    const found = JSON.parse(stdout);
    expect(found).toMatchObject({ n: 64, best });
    expect(found.learningRate).toBeCloseTo(best[1]!.learningRate, 12);
    expect(found.rho).toBeCloseTo(sum((row) => Number(row.trace_S_n)) / sum((row) => Number(row.trace_S_b)), 12);
    expect(found.rates.map(({ batchSize }: { batchSize: number }) => batchSize)).toEqual([4, 32]);
  });

  it('says what the grid found beside the rules, and what it can not answer', async () => {
    const { stdout } = await ask('--batch-size', '16', '--for', '4');
    expect(stdout).toMatch(/^n = 64\nη = 0\.\d+ is the best for b = 16, by loss_test_accuracy/);
    expect(stdout).toMatch(/SRSR {8}best found\n4 /);
    expect((await ask('--batch-size', '8', '--for', '4')).stderr).toContain(
      'had b = 8, but 4, 16. Give --learning-rate',
    );
    expect((await ask('--batch-size', '8', '--for', '4', '--n', '9')).stderr).toContain('A sweep says n itself');
    expect((await ask('--batch-size', '16', '--for', '4', '--score', 'beauty')).stderr).toContain(
      'has no column beauty',
    );
  });

  it('refuses runs that differ by more than b, η and seeds, unless some are chosen', async () => {
    const path = join(sweep, 'sweep.parquet');
    const { rows } = await readTable(path);
    const twice = (axis: string) => [8, 16].flatMap((value) => rows.map((row) => ({ [axis]: value, ...row })));
    await expect(tunedSweep(path, twice('model_hidden'))).rejects.toThrow(
      "differ by model_hidden too (8, 16), and would be taken for repetitions of each other. Choose by --where 'model_",
    );
    expect(await tunedSweep(path, twice('model_seed'))).toEqual(await tunedSweep(path, rows));
    await expect(tunedSweep(path, rows, 'loss_test_loss')).rejects.toThrow('--score is loss_test_loss, a loss, of whi');
    const { best } = JSON.parse(
      (await ask('--where', 'batch_size=16', '--batch-size', '16', '--for', '4', '--json')).stdout,
    );
    expect(best).toEqual((await tunedSweep(path, rows)).best.slice(1));
    expect((await ask('--where', 'batch_size=5', '--batch-size', '16', '--for', '4')).stderr).toContain(
      'meets batch_size=5',
    );
  });

  it('refuses runs on several numbers of examples', async () => {
    const several = join(directory, '..', 'several');
    const axes = { 'data.train': [32, 64], batchSize: [4, 8], learningRate: [0.1] };
    writePlan(several, { ...grid, axes, zip: [['data.train', 'batchSize']] });
    await runSweep(several, { jobs: 1, progress: false });
    await collectSweep(several);
    await expect(
      tunedSweep(join(several, 'sweep.parquet'), (await readTable(join(several, 'sweep.parquet'))).rows),
    ).rejects.toThrow(/were trained on (32 and 64|64 and 32) examples\. The rules are of one n/);
  });
});
