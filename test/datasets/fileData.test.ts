import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FileDataOptions, fileData } from '../../src/datasets/fileData.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/data');
const at = (file: string) => join(fixtures, file);
const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
/** (0 … 17)/7 in float32, row by row. */
const sevenths = Array.from({ length: 18 }, (_, k) => Math.fround(k / 7));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-file-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('fileData', () => {
  it('reads a compressed npz of images with labels of 64 bits', async () => {
    const { train, test, inputShape, classes, metadata } = await fileData(at('images.npz'));
    expect([...train.inputs]).toEqual(Array.from({ length: 36 }, (_, k) => (7 * k) % 256));
    expect([...train.labels!]).toEqual([2, 0, 1, 2, 0, 1]);
    expect({ inputShape, classes, test }).toEqual({ inputShape: [2, 3, 1], classes: ['0', '1', '2'], test: null });
    expect(metadata).toMatchObject({
      name: 'file',
      sources: [{ file: 'images.npz', sha256: sha256(at('images.npz')) }],
      train: { count: 6, inputsSha256: createHash('sha256').update(train.inputs).digest('hex') },
    });
  });

  it('takes names of classes as labels, ordered by their text, or as they are listed', async () => {
    const { classes, train } = await fileData(at('images.npz'), { labels: 'names' });
    expect([classes, [...train.labels!]]).toEqual([
      ['ant', 'cät', 'dog'],
      [2, 0, 1, 2, 0, 1],
    ]);
    const listed = ['cät', 'emu', 'dog', 'ant'];
    const own = await fileData(at('images.npz'), { labels: 'names', classes: listed });
    expect([own.classes, [...own.train.labels!], own.outputCount]).toEqual([listed, [2, 3, 0, 2, 3, 0], 4]);
  });

  it('takes test examples from arrays of their own, or from those that are left', async () => {
    const own = await fileData(at('images.npz'), { testInputs: 'test_inputs', testOutputs: 'test_labels' });
    expect([...own.test!.inputs]).toEqual(Array.from({ length: 12 }, (_, k) => 7 * k + 1));
    expect([own.train.count, ...own.test!.labels!]).toEqual([6, 2, 0]);
    const left = await fileData(at('images.npz'), { train: 3, test: 2, subset: 'balanced' });
    expect([[...left.train.labels!], [...left.test!.labels!]]).toEqual([
      [2, 0, 1],
      [2, 0],
    ]);
    expect([...left.test!.inputs.subarray(0, 2)]).toEqual([126, 133]);
    expect((await fileData(at('images.npz'), { test: 2 })).train.count).toBe(4);
  });

  it.each<[string, FileDataOptions]>([
    ['stored.npz', { inputs: 'inputs', targets: 'i1' }],
    ['stored.npz', { inputs: 'big', targets: 'i1' }],
    ['x.npy', { labels: 'y.npy' }],
    ['version2.npy', { labels: 'y.npy' }],
    ['data.safetensors', {}],
  ])('reads the same numbers by rows, by columns, in either byte order: %s %j', async (file, options) => {
    expect([...(await fileData(at(file), options)).train.inputs]).toEqual(sevenths);
  });

  it('reads an array of three axes that is stored by columns', async () => {
    const { train, inputShape } = await fileData(at('stored.npz'), { inputs: 'cube', targets: 'cube' });
    expect([[...train.inputs], inputShape]).toEqual([[...new Array(24).keys()], [3, 4]]);
  });

  it.each([
    ['i1', -1],
    ['u2', 65535],
    ['big_i4', -70000],
    ['u8', 2 ** 53],
    ['i2', -300],
    ['u4', 2 ** 32],
    ['small', 0],
  ])('reads targets of the type %s', async (targets, first) => {
    const { train } = await fileData(at('stored.npz'), { targets });
    expect(train.targets[0]).toBe(first);
    expect(train.labels).toBe(null);
  });

  it('reads half precision as the numbers that it holds', async () => {
    const { train } = await fileData(at('stored.npz'), { targets: 'half' });
    // 1/7 and 2/7, rounded to eleven binary digits.
    expect([train.targets[1], train.targets[2]]).toEqual([1170 / 2 ** 13, 1170 / 2 ** 12]);
  });

  it('reads safetensors in which a tensor is empty', async () => {
    const header = JSON.stringify({
      inputs: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
      none: { dtype: 'F32', shape: [0, 3], data_offsets: [0, 0] },
      labels: { dtype: 'U8', shape: [2], data_offsets: [8, 10] },
    });
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const numbers = Buffer.from(Float32Array.of(3, 5).buffer);
    const path = join(folder, 'empty.safetensors');
    writeFileSync(path, Buffer.concat([length, Buffer.from(header), numbers, Buffer.of(1, 0)]));
    const { train } = await fileData(path);
    expect([[...train.inputs], [...train.labels!]]).toEqual([
      [3, 5],
      [1, 0],
    ]);
  });

  it('reads integers and floats of safetensors', async () => {
    const { train, classes } = await fileData(at('data.safetensors'));
    expect([[...train.labels!], classes]).toEqual([
      [2, 0, 1, 2, 0, 1],
      ['0', '1', '2'],
    ]);
    const { train: regression, outputCount } = await fileData(at('data.safetensors'), { targets: 'targets' });
    expect([outputCount, [...regression.targets.subarray(0, 4)]]).toEqual([2, [0, 1, 3, 4].map((k) => sevenths[k])]);
  });

  it('scales all entries together, or each, by the chosen training examples', async () => {
    const all = await fileData(at('x.npy'), { labels: 'y.npy', train: 4, test: 2, normalize: 'all' });
    const mean = 5.5 / 7;
    const std = Math.sqrt((12 ** 2 - 1) / 12) / 7;
    all.train.inputs.forEach((x, k) => {
      expect(x).toBeCloseTo((k / 7 - mean) / std, 6);
    });
    expect(all.test!.inputs[0]).toBeCloseTo((12 / 7 - mean) / std, 6);
    const each = await fileData(at('x.npy'), { labels: 'y.npy', normalize: 'each' });
    // Of 0, 3, 6, …: the same in each column.
    const column = Array.from({ length: 6 }, (_, i) => (i - 2.5) / Math.sqrt(35 / 12));
    each.train.inputs.forEach((x, k) => {
      expect(x).toBeCloseTo(column[Math.floor(k / 3)]!, 6);
    });
  });

  it('gives inputs another shape of as many entries', async () => {
    expect((await fileData(at('images.npz'), { inputShape: [6] })).inputShape).toEqual([6]);
    await expect(fileData(at('images.npz'), { inputShape: [2, 2] })).rejects.toThrow(
      'fileData: inputShape is [2,2]. An input has 6 entries, of shape [2,3,1].',
    );
  });

  it.each<[string, string, FileDataOptions, string]>([
    [
      'an array that is not there',
      'images.npz',
      { labels: 'lables' },
      "images.npz has no array 'lables'. It has inputs, ",
    ],
    ['another length', 'stored.npz', { inputs: 'cube', labels: 'i1' }, "'i1' has 6 entries and 'cube' 2."],
    ['NaN', 'stored.npz', { inputs: 'missing', targets: 'i1' }, "'missing' [4, 1] is NaN. It must be a number"],
    ['labels between two', 'stored.npz', { labels: 'small' }, "'small' [1] is 0.4285714328289032. A label is"],
    ['text as inputs', 'images.npz', { inputs: 'names' }, "'names' holds text ('<U3'). It must hold numbers."],
    ['labels in a table', 'images.npz', { labels: 'inputs' }, "'inputs' has the shape [6,2,3,1]. Labels are [n]"],
    ['a label that is no class', 'images.npz', { classes: ['0', '1'] }, "there is a label '2', which is none of"],
    ['Python objects', 'objects.npy', { labels: 'y.npy' }, "has the type '|O'. Floats of 16, 32 or 64 bits"],
    ['a structure', 'structure.npy', { labels: 'y.npy' }, "has a header that can't be read: {'descr': [('a',"],
    ['npy without labels', 'x.npy', {}, 'x.npy holds the inputs alone. Name the file of their labels'],
    ['a file that is not there', 'z.npz', {}, "z.npz can't be read (ENOENT)."],
    ['another ending', 'table.csv', {}, 'is none of .npz, .npy, .safetensors. Tables (.csv, .parquet)'],
    ['labels and targets', 'images.npz', { labels: 'a', targets: 'b' }, "labels is 'a' and targets 'b'. Name one"],
    ['half a test', 'images.npz', { testInputs: 'a' }, 'testInputs and testOutputs belong together'],
    [
      'a test of another shape',
      'stored.npz',
      { inputs: 'cube', targets: 'cube', testInputs: 'big', testOutputs: 'i1' },
      "of 'big' has the shape [3], of 'cube' [3,4].",
    ],
    ['more than there are', 'images.npz', { train: 7 }, 'fileData (train): 7 examples are asked for, 6 are there.'],
    [
      'a balanced regression',
      'stored.npz',
      { targets: 'i1', subset: 'balanced' },
      "subset is 'balanced', and there are no",
    ],
    [
      'another file than was recorded',
      'x.npy',
      { labels: 'y.npy', sha256: ['00'] },
      'x.npy is another file than is meant: its SHA-256 is ',
    ],
    [
      'an unknown option',
      'images.npz',
      { label: 'a' } as FileDataOptions,
      "there is no option 'label'. Did you mean labels?",
    ],
  ])('refuses %s', async (_, file, options, message) => {
    await expect(fileData(at(file), options)).rejects.toThrow(message);
  });

  it('refuses a scale where an entry never changes', async () => {
    await expect(fileData(at('x.npy'), { labels: 'y.npy', train: 1, normalize: 'each' })).rejects.toThrow(
      'entry 0 of the inputs is 0 in every training example, so there is no scale.',
    );
  });

  it.each(['images.npz', 'stored.npz', 'x.npy', 'data.safetensors'])(
    'is refused wherever it is cut off, in a sentence: %s',
    async (file) => {
      const whole = readFileSync(at(file));
      const path = join(folder, file);
      cpSync(at('y.npy'), join(folder, 'y.npy'));
      const options = file === 'x.npy' ? { labels: 'y.npy' } : file === 'stored.npz' ? { targets: 'i1' } : {};
      const step = Math.ceil(whole.length / 300);
      for (let length = 0; length < whole.length; length += step) {
        writeFileSync(path, whole.subarray(0, length));
        const error = await fileData(path, options).catch((error) => error);
        expect(error, `${length} bytes`).toMatchObject({ name: 'BrinkError' });
      }
    },
  );

  it('finds every byte of a packed array that was changed', async () => {
    const whole = readFileSync(at('images.npz'));
    const path = join(folder, 'changed.npz');
    const data = await fileData(at('images.npz'));
    for (let k = 0; k < whole.length; k++) {
      const bytes = Buffer.from(whole);
      bytes[k]! ^= 0x55;
      writeFileSync(path, bytes);
      const read = await fileData(path).catch((error) => error);
      if (read instanceof Error) expect(read, `byte ${k}`).toMatchObject({ name: 'BrinkError' });
      else
        expect([...read.train.inputs, ...read.train.labels!], `byte ${k}`).toEqual([
          ...data.train.inputs,
          ...data.train.labels!,
        ]);
    }
  });
});
