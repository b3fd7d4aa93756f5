import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type ArraysOptions, arrays } from '../../src/datasets/arrays.ts';

const sha256 = (values: Float32Array) => createHash('sha256').update(values).digest('hex');

const labelled: ArraysOptions = { inputShape: [2], inputs: [1, 2, 3, 4, 5, 6], labels: [0, 2, 1], classes: 3 };
const regression: ArraysOptions = { inputShape: [2], inputs: [1, 2, 3, 4], targets: [1, 2, 3, 4, 5, 6] };

describe('arrays', () => {
  it('makes classes one-hot', () => {
    const data = arrays({ ...labelled, classes: ['a', 'b', 'c'] });
    expect([...data.train.targets]).toEqual([1, 0, 0, 0, 0, 1, 0, 1, 0]);
    expect([...data.train.labels!]).toEqual([0, 2, 1]);
    expect(data).toMatchObject({ name: 'arrays', outputCount: 3, classes: ['a', 'b', 'c'], test: null });
    expect(arrays(labelled).classes).toEqual(['0', '1', '2']);
  });

  it('takes targets as they are', () => {
    const { train, outputCount, classes } = arrays(regression);
    expect([...train.targets]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([outputCount, classes, train.labels, train.count]).toEqual([3, null, null, 2]);
  });

  it('keeps its numbers where a Float32Array is filled with something else, such as the test set', () => {
    const [inputs, targets] = [Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6)];
    const { train, metadata } = arrays({ ...regression, inputs, targets });
    inputs.fill(9);
    targets.fill(9);
    expect([...train.inputs, ...train.targets]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(metadata.train).toMatchObject({ inputsSha256: sha256(train.inputs), targetsSha256: sha256(train.targets) });
  });

  it('keeps metadata of its own beside what it adds: counts, and checksums of inputs and targets', () => {
    const { metadata, train, test } = arrays({
      ...regression,
      test: { inputs: [7, 8], targets: [7, 8, 9] },
      name: 'mine',
      metadata: { source: 'a sensor' },
    });
    expect(metadata).toEqual({
      name: 'mine',
      inputShape: [2],
      outputCount: 3,
      source: 'a sensor',
      train: { count: 2, inputsSha256: sha256(train.inputs), targetsSha256: sha256(train.targets) },
      test: { count: 1, inputsSha256: sha256(test!.inputs), targetsSha256: sha256(test!.targets) },
    });
  });

  it.each<[string, ArraysOptions, string]>([
    ['no example', { ...labelled, inputs: [], labels: [] }, 'arrays: there are no train examples.'],
    ['a part of an example', { ...labelled, inputs: [1, 2, 3] }, 'train inputs have 3 entries, and one example has 2.'],
    ['NaN', { ...labelled, inputs: [1, 2, 3, NaN, 5, 6] }, 'train inputs: entry 1 of example 1 is NaN.'],
    ['a number beyond float32', { ...labelled, inputs: [1, 2, 3, 4, 1e39, 6] }, 'entry 0 of example 2 is 1e+39.'],
    [
      'an infinite target',
      { ...regression, targets: [1, 2, 3, 4, 5, Infinity] },
      'train targets: entry 2 of example 1',
    ],
    ['a label above the classes', { ...labelled, labels: [0, 1, 3] }, 'the label of train example 2 is 3. There are 3'],
    ['a negative label', { ...labelled, labels: [0, -1, 2] }, 'the label of train example 1 is -1.'],
    ['a label between two', { ...labelled, labels: [0.5, 1, 2] }, 'the label of train example 0 is 0.5.'],
    ['fewer labels than inputs', { ...labelled, labels: [0, 1] }, 'train examples have 2 labels and 3 inputs.'],
    ['labels without classes', { inputShape: [1], inputs: [1], labels: [0] }, 'classes and labels belong together'],
    ['classes without labels', { ...regression, classes: 3 }, 'classes and labels belong together'],
    ['labels and targets', { ...labelled, targets: [1, 2, 3] }, 'train examples have labels and targets.'],
    ['neither', { inputShape: [1], inputs: [1] }, 'train examples have no targets.'],
    ['uneven targets', { ...regression, targets: [1, 2, 3] }, 'train targets have 3 entries for 2 examples.'],
    ['a width of 0', { ...regression, inputShape: [0] }, 'inputShape[0] is 0.'],
    [
      'a test label out of range',
      { ...labelled, test: { inputs: [1, 2], labels: [7] } },
      'the label of test example 0 is 7.',
    ],
    [
      'test targets of another width',
      { ...regression, test: { inputs: [1, 2], targets: [1, 2] } },
      'test examples have 2 targets each, train examples 3.',
    ],
  ])('refuses %s, with index and value', (_name, options, message) => {
    expect(() => arrays(options)).toThrow(message);
  });

  it.each<[string, unknown, string]>([
    ['null inputs', { ...regression, inputs: [1, null, 3, 4] }, 'train inputs: entry 1 of example 0 is null.'],
    ['empty text', { ...regression, inputs: '1,,3,4'.split(',') }, "train inputs: entry 0 of example 0 is '1'."],
    ['a null target', { inputShape: [1], inputs: [1, 2], targets: [1, null] }, 'train targets: entry 0 of example 1'],
    ['labels of text', { ...labelled, labels: ['0', '1', '2'] }, "the label of train example 0 is '0'. It must be a"],
    [
      'rows',
      {
        ...regression,
        inputs: [[1, 2, 3]],
      },
      'entry 0 of example 0 is [1, 2, 3]. It must be a number; put',
    ],
    ['a number for a shape', { ...regression, inputShape: 2 }, 'inputShape is 2. It must be an array, such as [2].'],
    ['no inputs', { inputShape: [1] }, 'train inputs is missing. It must be an array'],
    ['a wrong name', { ...regression, lables: [1] }, "there is no option 'lables'. Did you mean labels?"],
    [
      'a wrong name in test',
      { ...regression, test: { input: [1, 2] } },
      "there is no option 'input'. Did you mean inputs",
    ],
    ['nothing', undefined, 'arrays: the argument is missing. It is an object'],
    ['two classes of one name', { ...labelled, classes: ['a', 'b', 'a'] }, "classes[2] is 'a', as classes[0] is"],
    ['class names that are none', { ...labelled, classes: 'abc' }, "classes is 'abc'. It must be their number"],
  ])('refuses %s in plain JavaScript', (_name, options, message) => {
    expect(() => arrays(options as ArraysOptions)).toThrow(message);
  });

  it('takes integers of 64 bits, as numpy and Parquet have them', () => {
    const { train } = arrays({ inputShape: [1], inputs: [1, 2], classes: 2, labels: BigInt64Array.of(0n, 1n) });
    expect([...train.labels!]).toEqual([0, 1]);
    expect([...train.targets]).toEqual([1, 0, 0, 1]);
    const targets = BigInt64Array.of(3n, -4n);
    expect([...arrays({ inputShape: [1], inputs: [1, 2], targets }).train.targets]).toEqual([3, -4]);
  });
});
