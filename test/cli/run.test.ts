import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { runCommand } from '../../src/cli/runCommand.ts';
import { lossSlice } from '../../src/probes/lossSlice.ts';
import { topEigenvalues } from '../../src/probes/topEigenvalues.ts';
import { CommandLineError } from '../../src/runs/CommandLineError.ts';
import { readEvents } from '../../src/tables/readEvents.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { brink } from './brinkProcess.ts';

let parent: string;
beforeAll(() => {
  parent = mkdtempSync(join(tmpdir(), 'brink-cli-run-'));
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(parent, { recursive: true });
});

/** Twenty points and a small network: every run takes moments. */
const SMALL = ['--data', 'chebyshev', '--model', 'mlp:hidden=4,3', '--learning-rate', '0.1', '--steps', '6'];
const run = (...args: string[]) => brink(['run', ...args], { BRINK_ENGINE: 'wasm' });
const record = (directory: string) => JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8'));

describe('brink run', { timeout: 120_000 }, () => {
  it('trains what the flags say and writes a table for each probe', async () => {
    const directory = join(parent, 'flags');
    const probes = [
      '--probe',
      'topEigenvalues:count=2:smallest=1',
      '--probe',
      'lossSlice:alphas=0,0.5:directional=1:every=3',
    ];
    const { code, stdout, stderr } = await run(
      ...SMALL,
      ...probes,
      '--every',
      '2',
      '--seed',
      '5',
      '--out',
      directory,
      '--json',
    );
    expect([code, stderr]).toEqual([0, expect.stringMatching(/^finished: 7 steps in /)]);
    expect(JSON.parse(stdout)).toMatchObject({
      state: 'finished',
      directory,
      steps: 7,
      branches: { eigenvalues: { rows: 4 }, slices: { rows: 9 } },
    });
    const { rows } = await readTable(join(directory, 'eigenvalues.parquet'), topEigenvalues.table);
    expect(
      rows.map(({ step, eigenvalues, smallest_eigenvalues: low }) => [step, eigenvalues.length, low.length]),
    ).toEqual([0, 2, 4, 6].map((step) => [step, 2, 1]));
    const slices = await readTable(join(directory, 'slices.parquet'), lossSlice.table);
    expect(slices.rows.map(({ step, alpha }) => [step, alpha])).toEqual(
      [0, 3, 6].flatMap((step) => [0, 0.5, 1].map((alpha) => [step, alpha])),
    );
    const { source, user } = record(directory).metadata;
    expect(source).toMatchObject({
      learningRate: 0.1,
      seed: 5,
      objective: {
        model: { name: 'mlp', hidden: [4, 3] },
        data: { name: 'chebyshev' },
        loss: { name: 'meanSquaredError' },
      },
    });
    expect(user.pipeline.probes[0]).toEqual({ name: 'topEigenvalues', count: 2, smallest: 1 });
  });

  it('trains what a file says, unless a flag says otherwise; what run.json has of it is such a file', async () => {
    const file = join(parent, 'pipeline.json');
    const pipeline = {
      data: { name: 'digits', train: 24, subset: 'balanced' },
      model: { name: 'mlp', hidden: [3], activation: 'relu' },
      learningRate: 0.1,
      steps: 4,
      batchSize: 8,
      probes: [{ name: 'trainingLoss', every: 2 }],
      directory: join(parent, 'file'),
    };
    writeFileSync(file, JSON.stringify(pipeline));
    expect((await run(file, '--steps', '2')).code).toBe(0);
    const { metadata, branches } = record(pipeline.directory);
    expect(branches).toMatchObject({ loss: { rows: 2, error: null } });
    expect(metadata.source).toMatchObject({ steps: 2, batchSize: 8, objective: { loss: { name: 'crossEntropy' } } });
    writeFileSync(file, JSON.stringify(metadata.user.pipeline));
    expect((await run(file, '--out', join(parent, 'again'))).code).toBe(0);
    expect(record(join(parent, 'again')).metadata.source).toEqual(metadata.source);
  });

  it('writes the tables to the sinks that are named, in flags or in the file, and replays into them', async () => {
    const directory = join(parent, 'sinks');
    const file = join(parent, 'sinks.json');
    const pipeline = { data: 'chebyshev', learningRate: 0.1, steps: 6, model: 'mlp:hidden=4,3', record: true };
    writeFileSync(file, JSON.stringify({ ...pipeline, probes: ['trainingLoss'], sinks: ['csv', 'tensorboard'] }));
    expect((await run(file, '--out', directory)).code).toBe(0);
    const lines = readFileSync(join(directory, 'loss.csv'), 'utf8').trimEnd().split('\n');
    expect([lines.length, lines[0]]).toEqual([8, expect.stringMatching(/^step,epoch,loss,/)]);
    const events = join('tensorboard', 'loss', 'events.out.tfevents.brink');
    expect([...readEvents('test', join(directory, events))].map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(existsSync(join(directory, 'loss.parquet'))).toBe(false);
    const shown = (await brink(['show', directory])).stdout;
    expect(shown).toContain(`for other programs: loss.csv, ${events}`);
    expect(shown).not.toContain('no table yet');

    const sinks = ['arrow', 'parquet', 'csv'].flatMap((name) => ['--sink', name]);
    const later = join(parent, 'sinks-later');
    const args = [join(directory, 'recording.arrows'), '--probe', 'trainingLoss', ...sinks, '--out', later];
    expect((await brink(['replay', ...args], { BRINK_ENGINE: 'wasm' })).code).toBe(0);
    expect(readFileSync(join(later, 'csv', 'loss.csv'), 'utf8')).toBe(lines.join('\n').concat('\n'));
    const { rows } = await readTable(join(later, 'loss.parquet'));
    expect(rows).toHaveLength(7);
    expect((await readTable(join(later, 'arrow', 'loss.arrows'))).rows).toEqual(rows);
    expect(await run(...SMALL, '--sink', 'duckdb')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('expected one of "parquet"|"arrow"|"csv"|"tensorboard"'),
    });
    expect(await brink(['replay', ...args.slice(0, 3), '--sink', 'parqet'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("there is no sink 'parqet'. Did you mean parquet?"),
    });
  });

  it('replaces a run only where that is asked for', async () => {
    const directory = join(parent, 'twice');
    expect((await run(...SMALL, '--probe', 'trainingLoss', '--out', directory)).code).toBe(0);
    const { started } = record(directory);
    expect(await run(...SMALL, '--out', directory)).toEqual({
      code: 1,
      stdout: '',
      stderr: `run: ${directory} already holds a run. Its results would be lost; name another, or --force.\n`,
    });
    expect(record(directory).started).toBe(started);
    expect((await run(...SMALL, '--probe', 'hessianTrace', '--out', directory, '--force')).code).toBe(0);
    expect(readdirSync(directory).sort()).toEqual(['log.jsonl', 'run.json', 'traces.parquet']);
  });

  it('exits with 1 where training diverges, with the tables finished', async () => {
    const directory = join(parent, 'diverged');
    const steep = ['--data', 'chebyshev', '--learning-rate', '1e30', '--steps', '50', '--probe', 'trainingLoss'];
    const { code, stderr } = await run(...steep, '--out', directory);
    expect(code).toBe(1);
    expect(stderr).toContain('Training has diverged');
    expect(record(directory).state).toBe('diverged');
    expect(existsSync(join(directory, 'loss.parquet'))).toBe(true);
  });

  it.each([
    [
      'an unknown probe',
      ['--probe', 'topEigenvalue'],
      "run: there is no probe 'topEigenvalue'. Did you mean topEigenvalues?",
    ],
    [
      'an unknown option of a probe',
      ['--probe', 'topEigenvalues:cuont=3'],
      "topEigenvalues: there is no option 'cuont'. Did you mean count?",
    ],
    ['a missing option of a probe', ['--probe', 'theoremOne'], 'theoremOne: batchSizes is missing'],
    ['an option of a wrong type', ['--probe', 'topEigenvalues:count=many'], "topEigenvalues: count is 'many'."],
    ['an option out of its range', ['--probe', 'topEigenvalues:count=0'], 'topEigenvalues: count is 0.'],
    [
      'an option that does not go with the model',
      ['--probe', 'topEigenvalues:count=28'],
      'topEigenvalues: count is 28, but H has only 27 eigenvalues.',
    ],
    ['a probe named twice', ['--probe', 'edge', '--probe', 'edge:draws=2'], 'run: the probe edge is named twice.'],
    ['a pause that is none', ['--probe', 'edge:every=0'], 'run: probe edge: every is 0.'],
    ['an unknown model', ['--model', 'resnet'], "run: there is no model 'resnet'. Did you mean resnet9?"],
    ['a model that can’t be', ['--model', 'mlp:hidden=0'], 'mlp: hidden[0] is 0.'],
    ['an unknown data set', ['--data', 'cifar'], "run: there is no data set 'cifar'. Did you mean cifar10?"],
    ['an unknown loss', ['--loss', 'mse'], "run: there is no loss 'mse'."],
    ['a learning rate below 0', ['--learning-rate', '-1'], 'gradientDescent: learningRate is -1.'],
    ['a missing file', ['nowhere.json'], "run: nowhere.json can't be read as a pipeline: ENOENT"],
  ])('refuses %s as a wrong command line', async (_, args, reason) => {
    vi.stubEnv('BRINK_ENGINE', 'wasm');
    const directory = join(parent, 'wrong');
    const refused = runCommand().parseAsync([...SMALL, ...args, '--out', directory], { from: 'user' });
    await expect(refused).rejects.toThrow(CommandLineError);
    await expect(refused).rejects.toThrow(reason);
    expect(existsSync(directory)).toBe(false);
  });

  it('exits with 2 on a wrong command line, with the reason', async () => {
    const { code, stdout, stderr } = await run(...SMALL, '--probe', 'topEigenvalue');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^run: there is no probe 'topEigenvalue'\. Did you mean topEigenvalues\? .*\n$/);
    expect(await run(...SMALL, '--probe', 'topEigenvalues:count=3:count=4')).toMatchObject({
      code: 2,
      stderr: 'run: probe topEigenvalues: count is given twice. Give one value, or a list with commas.\n',
    });
    expect(await brink(['run', ...SMALL, '--out', ''])).toMatchObject({
      stderr: "run: the folder is ''. A run has one of its own; name it.\n",
    });
  });

  it('says what a file lacks, and what in it is unknown', async () => {
    const file = join(parent, 'wrong.json');
    writeFileSync(file, '{"learningrate": 0.1, "steps": 3}');
    expect(await run(file)).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /^run: the pipeline: learningRate is missing; there is no option 'learningrate'\. Did you mean learningRate\?/,
      ),
    });
    writeFileSync(file, '[]');
    expect((await run(file)).stderr).toContain('holds no pipeline');
  });

  it('exits with 1 where the data is not there', async () => {
    const { code, stderr } = await run(
      ...SMALL,
      '--data',
      `cifar10:folder=${parent}/none`,
      '--out',
      join(parent, 'none'),
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/^cifar10: there is no data_batch_1\.bin in /);
  });
});
