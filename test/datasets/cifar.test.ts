import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cifar10 } from '../../src/datasets/cifar10.ts';
import { cifar100 } from '../../src/datasets/cifar100.ts';

const PLANE = 32 * 32;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cifar-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A pixel that depends on the image, the channel, the row and the column, so that no two places can be confused. */
const pixel = (image: number, channel: number, row: number, column: number) =>
  (37 * image + 101 * channel + 7 * row + 3 * column + row * column) % 256;

/** Records in the official layout: label bytes, then the red plane, the green and the blue. */
function records(labels: readonly (readonly number[])[], first = 0): Uint8Array {
  return Uint8Array.from(
    labels.flatMap((label, i) => [
      ...label,
      ...Array.from({ length: 3 * PLANE }, (_, k) =>
        pixel(first + i, Math.floor(k / PLANE), Math.floor((k % PLANE) / 32), k % 32),
      ),
    ]),
  );
}

function write(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

const labels = [3, 3, 3, 0, 9, 0].map((label) => [label]);

describe('cifar10 from single files', () => {
  it('puts the channels last, row by row', async () => {
    const file = write('order.bin', records(labels));
    const { train, inputShape } = await cifar10({ trainFiles: [file] }, { normalize: 'none' });
    expect(inputShape).toEqual([32, 32, 3]);
    const wrong: number[] = [];
    for (let i = 0; i < 6; i++)
      for (let row = 0; row < 32; row++)
        for (let column = 0; column < 32; column++)
          for (let c = 0; c < 3; c++) {
            const at = ((i * 32 + row) * 32 + column) * 3 + c;
            if (train.inputs[at] !== Math.fround(pixel(i, c, row, column) / 255)) wrong.push(at);
          }
    expect(wrong).toEqual([]);
    expect([...train.labels!]).toEqual([3, 3, 3, 0, 9, 0]);
  });

  it('scales each channel by the chosen training examples alone, and the test examples alike', async () => {
    const trainFiles = [write('train.bin', records(labels))];
    const testFiles = [write('test.bin', records([[1], [2]], 50))];
    const raw = await cifar10({ trainFiles, testFiles }, { train: 4, test: 2, normalize: 'none' });
    const data = await cifar10({ trainFiles, testFiles }, { train: 4, test: 2 });
    for (let c = 0; c < 3; c++) {
      const channel = (x: Float32Array) => [...x].filter((_, k) => k % 3 === c);
      const values = channel(raw.train.inputs);
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      const std = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
      expect((data.metadata.mean as number[])[c]).toBeCloseTo(mean, 7);
      expect((data.metadata.std as number[])[c]).toBeCloseTo(std, 7);
      for (const split of ['train', 'test'] as const) {
        const expected = channel(raw[split]!.inputs).map((x) => (x - mean) / std);
        const worst = channel(data[split]!.inputs).reduce((w, x, k) => Math.max(w, Math.abs(x - expected[k]!)), 0);
        expect(worst, split).toBeLessThan(1e-5);
      }
    }
  });

  it('takes a scale of your own, and records it', async () => {
    const file = write('own.bin', records(labels));
    const normalize = { mean: [0.5, 0.25, 0], std: [0.5, 1, 2] };
    const { train, metadata } = await cifar10({ trainFiles: [file] }, { normalize });
    expect([...train.inputs.subarray(0, 3)]).toEqual([
      Math.fround((pixel(0, 0, 0, 0) / 255 - 0.5) / 0.5),
      Math.fround(pixel(0, 1, 0, 0) / 255 - 0.25),
      Math.fround(pixel(0, 2, 0, 0) / 255 / 2),
    ]);
    expect(metadata).toMatchObject(normalize);
  });

  it('takes the first examples, or as many of each class', async () => {
    const file = write('subset.bin', records(labels));
    const first = await cifar10({ trainFiles: [file] }, { train: 3 });
    const balanced = await cifar10({ trainFiles: [file] }, { train: 3, subset: 'balanced' });
    expect([...first.train.labels!]).toEqual([3, 3, 3]);
    expect([...balanced.train.labels!]).toEqual([3, 0, 9]);
  });

  it('says in its metadata which files and which inputs it is', async () => {
    const [a, b] = [records(labels), records([[5]], 9)];
    const { train, metadata } = await cifar10({ trainFiles: [write('a.bin', a), write('b.bin', b)] });
    const sha256 = (bytes: Uint8Array | Float32Array) => createHash('sha256').update(bytes).digest('hex');
    expect(train.count).toBe(7);
    expect(metadata).toMatchObject({
      name: 'cifar10',
      subset: 'first',
      divisor: 255,
      sources: [
        { file: 'a.bin', sha256: sha256(a) },
        { file: 'b.bin', sha256: sha256(b) },
      ],
      train: { count: 7, inputsSha256: sha256(train.inputs) },
    });
  });
});

describe('cifar100', () => {
  it('reads the fine class, the second of two label bytes', async () => {
    const bytes = records([
      [19, 99],
      [4, 0],
    ]);
    const { train, classes } = await cifar100({ trainFiles: [write('fine.bin', bytes)] }, { normalize: 'none' });
    expect([...train.labels!]).toEqual([99, 0]);
    expect(train.inputs[0]).toBe(Math.fround(pixel(0, 0, 0, 0) / 255));
    expect(train.inputs[3 * PLANE + 1]).toBe(Math.fround(pixel(1, 1, 0, 0) / 255));
    expect([classes!.length, new Set(classes).size, classes![0], classes![99]]).toEqual([100, 100, 'apple', 'worm']);
  });
});

describe('the official folder', () => {
  const size = 10000 * 3073;
  /** The official files' sizes, with label k mod 10 and a first pixel that names the file. */
  const batch = (mark: number) => {
    const bytes = new Uint8Array(size);
    for (let k = 0; k < 10000; k++) {
      bytes[3073 * k] = k % 10;
      bytes[3073 * k + 1] = mark;
    }
    return bytes;
  };

  beforeAll(() => {
    for (let k = 1; k <= 5; k++) write(`official/cifar-10-batches-bin/data_batch_${k}.bin`, batch(k));
    write('official/cifar-10-batches-bin/test_batch.bin', batch(6));
  });

  it('is found by its own name and by its parent, and its files follow each other in order', async () => {
    const options = { train: 20, test: 10, normalize: 'none' } as const;
    const own = await cifar10(join(folder, 'official/cifar-10-batches-bin'), options);
    const parent = await cifar10(join(folder, 'official'), options);
    expect(own).toEqual(parent);
    expect(own.train.inputs[0]).toBe(Math.fround(1 / 255));
    expect(own.test!.inputs[0]).toBe(Math.fround(6 / 255));
    expect((own.metadata.sources as { file: string }[]).map(({ file }) => file)).toEqual([
      'data_batch_1.bin',
      'data_batch_2.bin',
      'data_batch_3.bin',
      'data_batch_4.bin',
      'data_batch_5.bin',
      'test_batch.bin',
    ]);
  });

  it('is refused where a file is truncated at a record: both sizes, the path and where to get it', async () => {
    const path = write('cut/cifar-10-batches-bin/data_batch_1.bin', batch(1).subarray(0, size - 3073));
    await expect(cifar10(join(folder, 'cut'))).rejects.toThrow(
      `cifar10: ${path} has ${size - 3073} bytes, and should have ${size}: records of 3073 bytes. It is truncated or another file; get the binary version from https://www.cs.toronto.edu/~kriz/cifar.html.`,
    );
  });

  it('is refused where there is none, or a file of it is missing', async () => {
    await expect(cifar10(join(folder, 'nowhere'))).rejects.toThrow(
      `cifar10: there is no data_batch_1.bin in ${join(folder, 'nowhere')} or in ${join(folder, 'nowhere/cifar-10-batches-bin')}.`,
    );
    write('partial/data_batch_1.bin', batch(1));
    await expect(cifar10(join(folder, 'partial'))).rejects.toThrow(
      `cifar10: ${join(folder, 'partial/data_batch_2.bin')} can't be read (ENOENT).`,
    );
  });
});

describe('is refused:', () => {
  it.each<[string, Uint8Array, Parameters<typeof cifar10>[1], string]>([
    [
      'a file cut within a record',
      records(labels).subarray(0, 9000),
      {},
      'has 9000 bytes, and should have a multiple of 3073',
    ],
    ['an empty file', new Uint8Array(), {}, 'has 0 bytes'],
    ['a label above 9', records([[1], [10]]), {}, 'the label of record 1 of'],
    [
      'more examples than there are',
      records(labels),
      { train: 7 },
      'cifar10 (train): 7 examples are asked for, 6 are there',
    ],
    ['no example', records(labels), { train: 0 }, 'cifar10: train is 0.'],
    [
      'test examples without test files',
      records(labels),
      { test: 1 },
      'cifar10 (test): 1 examples are asked for, 0 are there',
    ],
    [
      'a channel that is constant',
      Uint8Array.from({ length: 3073 }, (_, k) => (k === 0 || k > 2048 ? 7 : k % 256)),
      {},
      'cifar10: channel 2 has mean 0.027450980392156862 and standard deviation 0.',
    ],
    [
      'a standard deviation of 0',
      records(labels),
      { normalize: { mean: [0, 0, 0], std: [1, 0, 1] } },
      'cifar10: channel 1 has mean 0 and standard deviation 0.',
    ],
    [
      'a scale for two channels',
      records(labels),
      { normalize: { mean: [0, 0], std: [1, 1] } },
      'normalize.mean has 2 entries. It must have 3.',
    ],
  ])('%s', async (name, bytes, options, message) => {
    const file = write(`${name}.bin`, bytes);
    await expect(cifar10({ trainFiles: [file] }, options)).rejects.toThrow(message);
  });
});
