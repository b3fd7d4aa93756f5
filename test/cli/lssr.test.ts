import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gradientConcentration } from '../../src/probes/gradientConcentration.ts';
import { scalingRule } from '../../src/probes/scalingRule.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { run } from '../../src/runs/run.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { toArrow } from '../../src/tables/toArrow.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
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

  it('refuses a table that has no ρ in it, and a file that is not there', async () => {
    const loss = await brink(['lssr', ...known, '--from', join(directory, 'loss.parquet')]);
    expect(loss.stderr).toMatch(/rows\[0\] has neither trace_S_b nor trace_S_1/);
    expect(loss.code).toBe(2);
    const none = await brink(['lssr', ...known, '--from', join(directory, 'none.parquet')]);
    expect(none.stderr).toContain('none.parquet');
    expect(none.code).not.toBe(0);
  });
});
