import { describe, expect, it } from 'vitest';
import { recordedData } from '../../src/catalogue/recordedData.ts';
import type { Dataset } from '../../src/core/Dataset.ts';
import { chebyshev } from '../../src/datasets/chebyshev.ts';
import { digits } from '../../src/datasets/digits.ts';

/** The data set that the metadata of another one names, as it comes out of a header. */
const again = ({ metadata }: Dataset) =>
  recordedData('test', 'a.arrows', JSON.parse(JSON.stringify(metadata)), undefined);

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

  it('needs the folder of files that do not come with brink', async () => {
    await expect(recordedData('test', 'a.arrows', { name: 'cifar10' }, undefined)).rejects.toThrow(
      'on cifar10, whose files do not come with brink. Say where they are',
    );
  });

  it.each(['imagenet', 'toString'])('is refused where brink has none of its name: %s', async (name) => {
    await expect(recordedData('test', 'a.arrows', { name }, undefined)).rejects.toThrow(
      `the data set '${name}', which does not come with brink. Hand it in`,
    );
  });

  it('is refused where its header says what cannot be read', async () => {
    const { metadata } = await digits({ train: 20 });
    const wrong = { ...metadata, name: 'digits', subset: 'last' };
    await expect(recordedData('test', 'a.arrows', wrong, undefined)).rejects.toThrow(
      "test: a.arrows says of the data set 'digits' what this brink cannot read",
    );
  });
});
