import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSafetensors } from '../../src/files/safetensors.ts';
import { topEigenvalues } from '../../src/probes/topEigenvalues.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { brink } from './brinkProcess.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures/pytorch');
const command = (...args: string[]) => brink(args, { BRINK_ENGINE: 'wasm' });
const data = ['--data', `file:${join(FIXTURES, 'train.npz')}`];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-cli-checkpoints-'));
  for (const name of ['a', 'b']) cpSync(join(FIXTURES, 'run'), join(folder, 'runs', name), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('brink checkpoints', () => {
  it('measures a run of each folder', async () => {
    const out = join(folder, 'out');
    const { code, stderr } = await command(
      ...['checkpoints', join(folder, 'runs/*/*.safetensors'), ...data, '--model', 'mlp:hidden=12', '--to', '40'],
      ...['--learning-rate', '0.5', '--beta1', '0', '--beta2', '0', '--probe', 'topEigenvalues:count=2', '--out', out],
    );
    expect([code, stderr]).toEqual([0, expect.stringContaining('finished: 2 steps')]);
    expect(readdirSync(out)).toEqual(['a', 'b']);
    const expected = JSON.parse(readFileSync(join(FIXTURES, 'run.json'), 'utf8'));
    for (const name of ['a', 'b']) {
      const { rows } = await readTable(join(out, name, 'eigenvalues.parquet'), topEigenvalues.table);
      expect(rows.map(({ step, edge }) => [step, edge])).toEqual([
        [0, 4],
        [40, 4],
      ]);
      for (const { step, lambda_1 } of rows) expect(lambda_1).toBeCloseTo(expected[step].lambda1, 3);
    }
  });

  it('says what does not fit, with the code of a wrong command line where it is that', async () => {
    const of = (...args: string[]) => command('checkpoints', join(folder, 'runs/a/*'), ...data, ...args);
    expect(await of('--model', 'mlp:hidden=13', '--out', join(folder, 'x'))).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/has 0\.weight as \[12,64\]\. In mlp its shape is \[13,64\], in PyTorch's order\./),
    });
    expect(await of('--model', 'mlp:hidden=12', '--batch-size', '97')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('batchSize is 97. The objective has 96 examples.'),
    });
    expect(await command('checkpoints', join(folder, 'none*'), ...data)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('checkpoints: no file fits'),
    });
  });
});

describe('brink weights export', () => {
  it("writes a recorded step with PyTorch's names and orders, from which a run begins again", async () => {
    const out = join(folder, 'live');
    const small = ['--model', 'mlp:hidden=4,3', '--learning-rate', '0.1', '--steps', '2', '--data', 'digits:train=20'];
    const live = await command('run', ...small, '--record', '--out', out, '--probe', 'trainingLoss');
    expect(live.code).toBe(0);
    const recording = join(out, 'recording.arrows');
    const [pytorch, own] = ['pytorch', 'brink'].map((layout) => join(folder, `${layout}.safetensors`)) as [
      string,
      string,
    ];
    const exported = await command('weights', 'export', recording, '--step', '2', '-o', pytorch);
    expect(exported).toMatchObject({ code: 0, stdout: expect.stringContaining('step 2 of ') });
    await command('weights', 'export', recording, '--step', '2', '-o', own, '--layout', 'brink');
    const tensors = (path: string) => new Map(readSafetensors('test', path, ['F32']).tensors.map((t) => [t.name, t]));
    const [theirs, ours] = [tensors(pytorch), tensors(own)];
    expect([...theirs].map(([name, { shape }]) => [name, shape])).toEqual([
      ['0.weight', [4, 64]],
      ['0.bias', [4]],
      ['2.weight', [3, 4]],
      ['2.bias', [3]],
      ['4.weight', [10, 3]],
      ['4.bias', [10]],
    ]);
    const { values } = ours.get('dense1/kernel')!;
    expect(theirs.get('0.weight')!.values[1 * 64 + 5]).toBe(values[5 * 4 + 1]);
    const from = async (...args: string[]) => {
      const again = join(folder, 'again');
      const { code, stderr } = await command(
        ...['run', ...small, ...args, '--out', again, '--force', '--probe', 'trainingLoss'],
      );
      expect([code, stderr]).toEqual([0, expect.any(String)]);
      const [first] = (await readTable(join(again, 'loss.parquet'), trainingLoss.table)).rows;
      return first!.loss;
    };
    const before = (await readTable(join(out, 'loss.parquet'), trainingLoss.table)).rows.at(-1)!.loss;
    expect(await from('--initial-weights', pytorch)).toBe(before);
    expect(await from('--initial-weights', recording, '--initial-step', '2')).toBe(before);
    expect(await command('run', ...small, '--initial-step', '2')).toMatchObject({ code: 2 });
    expect(await command('weights', 'export', recording, '--step', '2', '-o', own)).toMatchObject({ code: 2 });
    expect(await command('weights', 'export', recording, '--step', '3', '-o', own)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('holds steps 0 to 2, and not step 3. Choose another.'),
    });
  });
});
