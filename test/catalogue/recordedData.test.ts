import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recordedData } from '../../src/catalogue/recordedData.ts';
import type { Dataset } from '../../src/core/Dataset.ts';
import { chebyshev } from '../../src/datasets/chebyshev.ts';
import { cifar10 } from '../../src/datasets/cifar10.ts';
import { digits } from '../../src/datasets/digits.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-data-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The data set that the metadata of another one names, as it comes out of a header. */
const again = ({ metadata }: Dataset, folder?: string) =>
  recordedData('test', 'a.arrows', JSON.parse(JSON.stringify(metadata)), folder);

describe('the data set that a recording names', () => {
  it.each<[string, () => Dataset | Promise<Dataset>]>([
    ['digits', () => digits()],
    ['digits, balanced, with a test set', () => digits({ train: 33, test: 17, subset: 'balanced' })],
    ['digits, not centred', () => digits({ train: 20, center: false })],
    ['chebyshev', chebyshev],
  ])('is loaded as it was: %s', async (_, load) => {
    const data = await load();
    expect(await again(data)).toEqual(data);
  });

  it('is normalised by the recorded numbers: cifar10 from its folder', async () => {
    const files = join(folder, 'cifar-10-batches-bin');
    mkdirSync(files);
    for (const name of ['data_batch_1', 'data_batch_2', 'data_batch_3', 'data_batch_4', 'data_batch_5', 'test_batch']) {
      const file = join(files, `${name}.bin`);
      writeFileSync(
        file,
        Uint8Array.from({ length: 3 * 3073 }, (_, k) => (k % 3073 === 0 ? 1 : (k * k) % 251)),
      );
      truncateSync(file, 10000 * 3073);
    }
    const data = await cifar10(folder, { train: 4, test: 2 });
    expect(await again(data, folder)).toEqual(data);
    await expect(again(data)).rejects.toThrow('on cifar10, whose files do not come with brink. Say where they are');
  }, 60_000);
});
