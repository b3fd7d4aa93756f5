import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { digits } from '../../src/datasets/digits.ts';
import { readArray } from '../helpers/referenceProblem.ts';

const sha256 = (bytes: Uint8Array | Float32Array) => createHash('sha256').update(bytes).digest('hex');
const counts = (labels: ArrayLike<number>) =>
  Array.from({ length: 10 }, (_, c) => Array.from(labels).filter((l) => l === c).length);

describe('digits', () => {
  it('has the bits of the reference problem, which another library read', async () => {
    const { train, inputShape, outputCount } = await digits({ train: 200, center: false });
    expect(train.inputs).toEqual(readArray({ file: 'a2-mlp-inputs.f32.bin', dtype: 'float32' }));
    expect([...train.labels!]).toEqual([...readArray({ file: 'a2-mlp-labels.u8.bin', dtype: 'uint8' })]);
    expect(inputShape).toEqual([64]);
    expect(outputCount).toBe(10);
  });

  it('has all 1797, as often in each class as its authors say', async () => {
    const { train, test } = await digits();
    expect(train.count).toBe(1797);
    expect(counts(train.labels!)).toEqual([178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    expect(test).toBeNull();
  });

  it('has one-hot targets', async () => {
    const { train } = await digits({ train: 30 });
    for (let i = 0; i < 30; i++) {
      const row = [...train.targets.subarray(10 * i, 10 * (i + 1))];
      expect(row).toEqual(row.map((_, c) => (c === train.labels![i] ? 1 : 0)));
    }
  });

  it('subtracts the mean of the training examples, from the test examples too', async () => {
    const centred = await digits({ train: 300, test: 50 });
    const raw = await digits({ train: 300, test: 50, center: false });
    const mean = raw.train.inputs.reduce((a, b) => a + b, 0) / raw.train.inputs.length;
    expect(centred.metadata.mean).toBeCloseTo(mean, 12);
    expect(centred.train.inputs.reduce((a, b) => a + b, 0) / centred.train.inputs.length).toBeCloseTo(0, 7);
    centred.test!.inputs.forEach((x, k) => {
      expect(x).toBeCloseTo(raw.test!.inputs[k]! - mean, 6);
    });
  });

  it('tests on examples that it does not train on, balanced like them', async () => {
    const { train, test } = await digits({ train: 1000, test: 100, subset: 'balanced' });
    expect(counts(train.labels!)).toEqual(new Array(10).fill(100));
    expect(counts(test!.labels!)).toEqual(new Array(10).fill(10));
    const all = await digits({ train: 1000, test: 797, subset: 'balanced', center: false });
    const total = (await digits({ center: false })).train.inputs.reduce((a, b) => a + b, 0);
    // Sixteenths add up exactly: together the two are every digit once.
    expect([...all.train.inputs, ...all.test!.inputs].reduce((a, b) => a + b, 0)).toBe(total);
    expect(counts([...all.train.labels!, ...all.test!.labels!])).toEqual(counts((await digits()).train.labels!));
  });

  it('says in its metadata which file and which inputs it is', async () => {
    const { metadata, train } = await digits({ train: 100, subset: 'balanced' });
    const file = readFileSync(new URL('../../fixtures/digits.csv.gz', import.meta.url));
    expect(metadata).toMatchObject({
      name: 'digits',
      subset: 'balanced',
      divisor: 16,
      source: { file: 'digits.csv.gz', sha256: sha256(file) },
      train: { count: 100, inputsSha256: sha256(train.inputs), targetsSha256: sha256(train.targets) },
      test: null,
    });
  });

  it.each([
    [{ train: 0 }, 'digits: train is 0. It must be an integer of at least 1.'],
    [{ train: 1798 }, 'digits (train): 1798 examples are asked for, 1797 are there. Ask for at most that many.'],
    [{ train: 1700, test: 98 }, 'digits (test): 98 examples are asked for, 97 are there. Ask for at most that many.'],
  ])('refuses %j', async (options, message) => {
    await expect(digits(options)).rejects.toThrow(message);
  });
});
