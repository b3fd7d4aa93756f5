import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { collectSweep, mlp, readTable, runSweep, saveWeights, writePlan } from '../../src/index.ts';

const quiet = { progress: false, jobs: 1 };
const csv = (changed: number) =>
  ['a,b,c', ...Array.from({ length: 40 }, (_, i) => `${i === changed ? 9 : i % 7},${(3 * i) % 5},${i % 2}`)].join('\n');

let parent: string;
let folder: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'brink-collect-'));
  folder = join(parent, 'sweep');
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const results = () => readdirSync(join(folder, 'results')).map((file) => join(folder, 'results', file));
const change = (file: string, more: object) =>
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...more }));
const states = async () => (await readTable(join(folder, 'sweep.parquet'))).rows.map(({ state }) => state);

it('refuses cells that named one file and found other data in it', async () => {
  const path = join(parent, 'train.csv');
  writeFileSync(path, csv(-1));
  writePlan(folder, {
    pipeline: {
      data: { name: 'table', path, label: 'c' },
      model: { name: 'mlp', hidden: [3] },
      ...{ steps: 2, learningRate: 0.1, probes: [{ name: 'trainingLoss' }] },
    },
    // Another part of the file is no other file.
    axes: { 'data.train': [20, 30], seed: [0, 1] },
  });
  await runSweep(folder, { ...quiet, index: [0, 2] });
  const before = results();
  writeFileSync(path, csv(3));
  await runSweep(folder, quiet);
  await expect(collectSweep(folder)).rejects.toThrow(
    /^sweep: cells 2 and 3 both read .*train\.csv.*, and found something else there: a file was changed/,
  );
  for (const file of before) rmSync(file);
  await runSweep(folder, quiet);
  await collectSweep(folder);
  expect(await states()).toEqual(['done', 'done', 'done', 'done']);
});

it('refuses cells that named one file and found other weights in it', async () => {
  const path = join(parent, 'theta.safetensors');
  const model = mlp({ inputs: 64, hidden: [], outputs: 10, activation: 'tanh' });
  const write = (value: number) => saveWeights(path, model, new Float32Array(650).fill(value), { overwrite: true });
  write(0.01);
  writePlan(folder, {
    pipeline: {
      data: { name: 'digits', train: 32 },
      model: { name: 'mlp', hidden: [] },
      ...{ steps: 1, learningRate: 0.1, initialWeights: path, probes: [{ name: 'trainingLoss' }] },
    },
    axes: { batchSize: [4, 8] },
  });
  await runSweep(folder, { ...quiet, index: 0 });
  write(0.02);
  await runSweep(folder, quiet);
  await expect(collectSweep(folder)).rejects.toThrow(/^sweep: cells 0 and 1 both read .*theta\.safetensors/);
});

it('refuses results of another plan, release or engine, and takes those of one', async () => {
  writePlan(folder, {
    pipeline: {
      data: { name: 'digits', train: 16 },
      model: { name: 'mlp', hidden: [3] },
      ...{ steps: 1, learningRate: 0.1, probes: [{ name: 'trainingLoss' }] },
    },
    axes: { seed: [0, 1] },
  });
  await runSweep(folder, quiet);
  const [file] = results();
  const text = readFileSync(file!, 'utf8');
  for (const [more, message] of [
    [{ planHash: 'f'.repeat(64) }, /^sweep: the result of cell \d .* is of another plan\./],
    [{ brink: '9.9.9' }, /^sweep: the cells were run by brink .*9\.9\.9/],
    [{ engine: { name: 'other', device: 'CPU', version: '1' } }, /^sweep: the cells were computed by .*other 1/],
  ] as const) {
    change(file!, more);
    await expect(collectSweep(folder)).rejects.toThrow(message);
    if ('planHash' in more) await expect(collectSweep(folder, { mixed: true })).rejects.toThrow(message);
    else {
      await collectSweep(folder, { mixed: true });
      const { rows } = await readTable(join(folder, 'sweep.parquet'));
      const column = 'brink' in more ? 'brink' : 'engine';
      expect(new Set(rows.map((row) => row[column])).size).toBe(2);
    }
    writeFileSync(file!, text);
  }
  await collectSweep(folder);
  expect(await states()).toEqual(['done', 'done']);
});
