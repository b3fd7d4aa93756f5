import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, of } from 'rxjs';
import { afterAll, expect, it } from 'vitest';
import {
  defineTable,
  fanOut,
  float64,
  gradientDescent,
  int32,
  readTable,
  record,
  run,
  throttleBudget,
  toArrow,
  toParquet,
  toy,
} from '../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'brink-handed-in-'));
afterAll(() => rmSync(folder, { recursive: true }));

const train = (more: object) => gradientDescent(toy(), { learningRate: 0.01, steps: 1, ...more });
// What plain JavaScript lets through.
// biome-ignore lint/suspicious/noExplicitAny: the wrong types are what is tested
const js = (value: any) => value;
const table = defineTable({
  name: 'own',
  description: "Rows of one's own.",
  key: ['step'],
  columns: { step: int32({ symbol: 't', description: 'Index.' }), value: float64({ symbol: 'x', description: 'x.' }) },
});

it.each<[string, () => unknown]>([
  ['gradientDescent: initialWeights is null. It must be an array', () => train({ initialWeights: null })],
  ["gradientDescent: initialWeights is ''. It must be an array", () => train({ initialWeights: '' })],
  ['gradientDescent: initialWeights is 0. It must be an array', () => train({ initialWeights: 0 })],
  ['gradientDescent: initialWeights is false. It must be an array', () => train({ initialWeights: false })],
  ["gradientDescent: beta1 is '0.5'. It must be a number from 0 to 1.", () => train({ beta1: '0.5' })],
  ['gradientDescent: beta2 is null. It must be a number from 0 to 1.', () => train({ beta2: null })],
  ['gradientDescent: until.accuracy is true. It must be a number', () => train({ until: { accuracy: true } })],
  ["throttleBudget: share is '0.2'. It must be a finite number above 0.", () => throttleBudget(js('0.2'))],
  ["throttleBudget: there is no option 'clock'", () => throttleBudget(0.2, js({ clock: 1 }))],
  ['fanOut: the branches are null. They are functions by name', () => fanOut(js(null))],
  ['fanOut: the branch a is 3. It is a function', () => fanOut(js({ a: 3 }))],
  ["toArrow: the argument is 'x'. It is an object", () => toArrow(js('x'))],
  ['toParquet: the argument is null. It is an object', () => toParquet(js(null))],
  ["toArrow: the path is 3. It must end in '.arrows'.", () => toArrow({ path: js(3) })],
  ["toArrow: overwrite is 'false'. It must be true or false.", () => toArrow({ overwrite: js('false') })],
  ['toArrow: metadata is 3. It must be an object', () => toArrow({ metadata: js(3) })],
  ['float64: symbol is missing. It must be a string,', () => float64(js({ description: 'x.' }))],
  ['defineTable: key is missing. It must be an array', () => defineTable(js({ ...table, key: undefined }))],
  ["record: the path is an object of every. It must end in '.arrows'.", () => record(js({ every: 2 }))],
  ["record: gradient is 'no'. It must be true or false.", () => record(undefined, { gradient: js('no') })],
])('%s', (message, call) => {
  expect(call).toThrow(message);
});

it.each<[string, object | null]>([
  ['run: the argument is null. It is an object', null],
  ["run: overwrite is 'false'. It must be true or false.", { overwrite: 'false' }],
  ['run: progress is 0. It must be true or false.', { progress: 0 }],
  ["run: signals is 'stopp'. Did you mean 'stop'?", { signals: 'stopp' }],
  ['run: signal is an object of aborted. It must be an AbortSignal', { signal: { aborted: false } }],
  ['run: metadata is null. It must be an object', { metadata: null }],
])('%s', async (message, options) => {
  await expect(run(train({}), { a: (s) => s }, js(options && { directory: folder, ...options }))).rejects.toThrow(
    message,
  );
});

it.each<[string, unknown]>([
  ['run: the branches are null. They are functions', null],
  ['run: the branches are []. They are functions', []],
  ['run: the branch a is a promise. It is a function', { a: Promise.resolve() }],
])('%s', async (message, branches) => {
  await expect(run(train({}), js(branches), { directory: folder })).rejects.toThrow(message);
});

it('readTable: a path that is none', async () => {
  await expect(readTable(js(3))).rejects.toThrow("readTable: the path is 3. It must end in '.parquet' or '.arrows'.");
});

it.each([null, undefined, 3, [1, 2]])('a row that is %o is refused, and those before are kept', async (wrong) => {
  const path = join(folder, `${String(wrong)}.arrows`);
  const rows = of({ step: 0, value: 1.5 }, js(wrong)).pipe(toArrow(table, { path }));
  await expect(lastValueFrom(rows)).rejects.toThrow("came where a row of the table 'own' was expected");
  expect((await readTable(path)).rows).toEqual([{ step: 0, value: 1.5 }]);
});

it('the scale of a move', () => {
  const point = toy().at(Float32Array.of(1, 1));
  expect(() => point.moved(point.weights, js('2'))).toThrow("quadratic: scale is '2'. It must be a number.");
});
