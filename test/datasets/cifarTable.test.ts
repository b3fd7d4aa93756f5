import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cifar10 } from '../../src/datasets/cifar10.ts';
import { cifar100 } from '../../src/datasets/cifar100.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/data/cifar');
const at = (name: string) => join(fixtures, `${name}.parquet`);
const one = (name: string) => cifar10({ trainFiles: [at(name)] }, { normalize: 'none' });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-cifar-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** As `make.py` paints them. */
const pixel = (image: number, channel: number, row: number, column: number) =>
  (37 * image + 101 * channel + 7 * row + 3 * column + row * column) % 256;

/** How many entries are not those of these images. */
function wrongEntries(inputs: Float32Array, painted: readonly number[]): number {
  let wrong = inputs.length === painted.length * 3072 ? 0 : 1;
  painted.forEach((image, i) => {
    for (let k = 0; k < 3072; k++) {
      const [row, column] = [Math.floor(k / 96), Math.floor((k % 96) / 3)];
      if (inputs[i * 3072 + k] !== Math.fround(pixel(image, k % 3, row, column) / 255)) wrong++;
    }
  });
  return wrong;
}

describe('CIFAR in Parquet', () => {
  it('is found in a folder, its parts in order, train and test', async () => {
    const { train, test, metadata } = await cifar10(fixtures, { test: 1, normalize: 'none' });
    expect([...train.labels!, ...test!.labels!]).toEqual([3, 9, 0, 7]);
    expect(wrongEntries(train.inputs, [0, 1, 2])).toBe(0);
    expect(wrongEntries(test!.inputs, [50])).toBe(0);
    expect((metadata.sources as { file: string }[]).map(({ file }) => file)).toEqual([
      'train-00000-of-00002.parquet',
      'train-00001-of-00002.parquet',
      'test-00000-of-00001.parquet',
    ]);
  });

  it('has the fine label of CIFAR-100, and images under either name', async () => {
    const { train } = await cifar100({ trainFiles: [at('fine')] }, { normalize: 'none' });
    expect([...train.labels!]).toEqual([99, 0]);
    expect(wrongEntries(train.inputs, [4, 5])).toBe(0);
  });

  it('makes three equal channels of a grey image', async () => {
    const { train } = await one('grey');
    const channels = [0, 1, 2].map((c) => train.inputs.filter((_, k) => k % 3 === c));
    expect(channels[1]).toEqual(channels[0]);
    expect(channels[2]).toEqual(channels[0]);
    // As Pillow weighs the colours: 299 R + 587 G + 114 B, over 1000.
    const grey = 0.299 * pixel(0, 0, 3, 5) + 0.587 * pixel(0, 1, 3, 5) + 0.114 * pixel(0, 2, 3, 5);
    expect(Math.abs(channels[0]![3 * 32 + 5]! * 255 - grey)).toBeLessThan(1);
  });

  it.each([
    ['small', 'row 0 (the first is 0): the image has 8 × 8 pixels, 3 channels of 8 bits. It must have 32 × 32'],
    ['missing', 'row 1 (the first is 0): there is no image.'],
    ['label', 'row 1 (the first is 0): label is 10. It must be from 0 to 9.'],
    ['fine', 'has the columns image, fine_label, coarse_label. It needs img or image, and label.'],
  ])('is refused with its row: %s', async (name, message) => {
    await expect(one(name)).rejects.toThrow(message);
  });

  it('is refused where a part is missing', async () => {
    copyFileSync(at('train-00001-of-00002'), join(folder, 'train-00001-of-00002.parquet'));
    await expect(cifar10(folder)).rejects.toThrow(
      `cifar10: ${folder} has train-00001-of-00002.parquet, and not train-00000-of-00002.parquet.`,
    );
  });

  it('is refused wherever its pixels were changed', async () => {
    const bytes = readFileSync(at('train-00001-of-00002'));
    const path = join(folder, 'changed.parquet');
    const [first, last] = [bytes.indexOf('IDAT'), bytes.indexOf('IEND')];
    expect(last - first).toBeGreaterThan(500);
    for (let place = first; place < last - 4; place += 5) {
      const changed = Buffer.from(bytes);
      changed[place]! ^= 0x10;
      writeFileSync(path, changed);
      await expect(cifar10({ trainFiles: [path] }), `byte ${place}`).rejects.toThrow(/^cifar10: .*changed\.parquet/);
    }
  });
});
