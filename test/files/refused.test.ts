import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, of } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  BrinkError,
  defineTable,
  float64,
  gradientDescent,
  int32,
  loadWeights,
  mlp,
  openStep,
  readTable,
  record,
  recover,
  replay,
  resume,
  run,
  saveWeights,
  toArrow,
  toParquet,
  trainingLoss,
} from '../../src/index.ts';
import { describeRun } from '../../src/runs/describeRun.ts';
import { regression } from '../helpers/regression.ts';

let folder: string;
const at = (name: string) => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-refused-'));
  mkdirSync(at('folder.parquet'));
  mkdirSync(at('folder.arrows'));
  writeFileSync(at('file'), '');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const table = defineTable({
  name: 'rows',
  description: 'Rows.',
  key: ['step'],
  columns: { step: int32({ symbol: 't', description: 'Step.' }), x: float64({ symbol: 'x', description: 'x.' }) },
});
const row = { step: 0, x: 1 };
const step = () => openStep({ index: 0, weights: new Float32Array(5) }, { objective: regression() }).step;
const model = mlp({ inputs: 2, hidden: [], outputs: 1, activation: 'tanh' });
const train = () => gradientDescent(regression(), { learningRate: 0.1, steps: 1 });
const branches = { loss: (s: ReturnType<typeof train>) => s.pipe(trainingLoss(), toParquet()) };
const overwrite = true;

/** What the file system refuses, who is to say so, and of which place. */
const REFUSED: [string, () => unknown, who: string, path: string][] = [
  ['a table that is not there', () => readTable(at('none.parquet')), 'readTable', 'none.parquet'],
  ['a log that is not there', () => readTable(at('none.arrows')), 'readTable', 'none.arrows'],
  ['a folder for a table', () => readTable(at('folder.parquet')), 'readTable', 'folder.parquet'],
  ['a folder for a log', () => readTable(at('folder.arrows')), 'readTable', 'folder.arrows'],
  [
    'a table below a file',
    () => lastValueFrom(of(row).pipe(toParquet(table, { path: at('file/t.parquet') }))),
    'toParquet',
    'file/t.parquet',
  ],
  [
    'a table in the place of a folder',
    () => lastValueFrom(of(row).pipe(toArrow(table, { path: at('folder.arrows'), overwrite }))),
    'toArrow',
    'folder.arrows',
  ],
  [
    'a recording below a file',
    () => lastValueFrom(of(step()).pipe(record(at('file/r.arrows')))),
    'record',
    'file/r.arrows',
  ],
  [
    'a recording in the place of a folder',
    () => lastValueFrom(of(step()).pipe(record(at('folder.arrows'), { overwrite }))),
    'record',
    'folder.arrows',
  ],
  ['a recording that is not there', () => replay(at('none.arrows')), 'replay', 'none.arrows'],
  ['a folder for a recording', () => resume(at('folder.arrows')), 'resume', 'folder.arrows'],
  [
    'a run below a file',
    () => run(train(), branches, { directory: at('file/run'), progress: false }),
    'run',
    'file/run',
  ],
  ['a file to recover', () => recover(at('file')), 'recover', 'file'],
  ['a file to show', () => describeRun(at('file')), 'show', 'file'],
  ['weights below a file', () => saveWeights(at('file/w'), model, [1, 2, 3]), 'saveWeights', 'file/w'],
  ['a folder for weights', () => loadWeights(at('folder.arrows'), model), 'loadWeights', 'folder.arrows'],
];

describe('what the file system refuses', () => {
  it.each(REFUSED)('is told by whoever asked, with the path and what to do: %s', async (_, ask, who, path) => {
    const error = await (async () => ask())().then(
      () => null,
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(BrinkError);
    expect(error.message).toMatch(new RegExp(`^${who}: .*${at(path)}.*\\. [A-Z][^.]*.*\\.$`));
  });

  it('is told of a run before that holds a folder where it had a file, and removes nothing else', async () => {
    await run(train(), branches, { directory: at('run'), progress: false });
    rmSync(at('run/loss.parquet'));
    mkdirSync(at('run/loss.parquet'));
    const again = run(train(), branches, { directory: at('run'), progress: false, overwrite });
    await expect(again).rejects.toThrow(/^run: .*run\/loss\.parquet of the run before can't be removed: .* by hand\.$/);
    expect(existsSync(at('run/run.json'))).toBe(true);
  });
});
