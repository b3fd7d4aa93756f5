import { describe, expect, it, vi } from 'vitest';
import { planSweep, type SweepRequest } from '../../src/index.ts';

const pipeline = { data: { name: 'digits', train: 64 }, steps: 10, learningRate: 0.1 };
const paramsOf = (request: SweepRequest) => planSweep(request).cells.map(({ params }) => Object.values(params));

describe('planSweep', () => {
  it('takes all values with all, the last axis changing fastest', () => {
    expect(paramsOf({ pipeline, axes: { batchSize: [4, 16], seed: [0, 1, 2] } })).toEqual([
      ...[0, 1, 2].map((seed) => [4, seed]),
      ...[0, 1, 2].map((seed) => [16, seed]),
    ]);
  });

  it('divides a range into equal steps, or equal factors, without the rounding of powers', () => {
    const axis = (range: object) => paramsOf({ pipeline, axes: { learningRate: range as never } }).flat();
    expect(axis({ from: 0.1, to: 0.5, count: 5 })).toEqual([0.1, 0.2, 0.3, 0.4, 0.5]);
    expect(axis({ from: 0.025, to: 1.6, count: 7, scale: 'log' })).toEqual([0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6]);
    expect(axis({ from: 0.2, to: 9, count: 1 })).toEqual([0.2]);
  });

  it('puts axes that are zipped side by side', () => {
    const axes = { batchSize: [4, 16], seed: [0, 1], learningRate: [0.1, 0.2] };
    expect(paramsOf({ pipeline, axes, zip: [['batchSize', 'learningRate']] })).toEqual([
      [4, 0.1, 0],
      [4, 0.1, 1],
      [16, 0.2, 0],
      [16, 0.2, 1],
    ]);
  });

  it('sets options of what is named, given as text too, and names their columns', () => {
    const { cells, axes } = planSweep({
      pipeline: { ...pipeline, model: 'mlp:hidden=8' },
      axes: { 'model.hidden': [[4], [8, 8]], 'data.train': [32] },
    });
    expect(axes).toEqual({ model_hidden: [[4], [8, 8]], data_train: [32] });
    expect(cells[1]!.pipeline!.model).toEqual({ name: 'mlp', hidden: [8, 8] });
    expect(cells[1]!.pipeline!.data).toEqual({ name: 'digits', train: 32 });
  });

  it('gives a pipeline the same name in every plan, whatever the order of its options', () => {
    const [a] = planSweep({ pipeline, axes: { seed: [1] } }).cells;
    const [, b] = planSweep({
      pipeline: Object.fromEntries(Object.entries(pipeline).toReversed()) as typeof pipeline,
      axes: { seed: [0, 1] },
    }).cells;
    expect(a!.id).toBe(b!.id);
    expect(planSweep({ pipeline, axes: { seed: [1] } }).planHash).not.toBe(
      planSweep({ pipeline, axes: { seed: [0, 1] } }).planHash,
    );
  });

  it('has tables for other programs beside those that collect reads', () => {
    const sinks = ['parquet', 'tensorboard'];
    expect(planSweep({ pipeline: { ...pipeline, sinks }, axes: { seed: [1] } }).cells[0]!.pipeline!.sinks).toEqual(
      sinks,
    );
    // As it was before there were sinks to name.
    expect('sinks' in planSweep({ pipeline, axes: { seed: [1] } }).cells[0]!.pipeline!).toBe(false);
  });

  it('is of a number of threads, as the bits depend on it', () => {
    const axes = { seed: [1] };
    const [one, two] = [1, 2].map((threads) => planSweep({ pipeline, axes, threads }));
    expect(one!.planHash).not.toBe(two!.planHash);
    vi.stubEnv('BRINK_THREADS', '2');
    expect(planSweep({ pipeline, axes })).toEqual(two);
    vi.stubEnv('BRINK_THREADS', '');
    expect(planSweep({ pipeline, axes })).toEqual(one);
    vi.unstubAllEnvs();
  });

  it.each<[string, object, string]>([
    ['no axis', { axes: {} }, 'there is no axis'],
    [
      'a table that collect can’t read',
      { pipeline: { ...pipeline, sinks: ['csv'] }, axes: { seed: [1] } },
      'sinks are csv. collect reads Parquet; name parquet beside them.',
    ],
    [
      'sinks that a cell can’t go on with',
      { pipeline: { ...pipeline, sinks: ['parquet', 'csv'] }, axes: { seed: [1] }, checkpoint: { every: 5 } },
      'sinks are parquet, csv, and cells go on from checkpoints:',
    ],
    [
      'an axis that replaces what another has set',
      { pipeline: { ...pipeline, model: 'mlp' }, axes: { 'model.hidden': [[4]], model: [{ name: 'mlp' }] } },
      'the axis model comes behind model.hidden and would replace what that has set. Name model before it.',
    ],
    ['what every object has', { axes: { 'data.__proto__.train': [3] } }, "there is no option 'data.__proto__.train'"],
    ['an axis of directories', { axes: { directory: ['a', 'b'] } }, 'the axes name a directory'],
    ['a directory', { pipeline: { ...pipeline, directory: 'x' }, axes: { seed: [1] } }, 'names a directory'],
    [
      'an option that does not exist',
      { axes: { learningrate: [1] } },
      'the cell {"learningrate":1}: run: the pipeline: there is no option \'learningrate\'. Did you mean learningRate?',
    ],
    [
      'a value of a wrong type',
      { axes: { batchSize: [4, 'many'] } },
      'the cell {"batch_size":"many"}: run: the pipeline: batchSize',
    ],
    [
      'what a cell would refuse once it runs',
      { axes: { batchSize: [4, -1] } },
      'the cell {"batch_size":-1}: gradientDescent: batchSize is -1. It must be an integer of at least 1.',
    ],
    [
      'seeds that are one number',
      { axes: { seed: [0, 2 ** 53] } },
      'the cell {"seed":9007199254740992}: gradientDescent: seed is 9007199254740992. Above 2⁵³ − 1 several integers',
    ],
    [
      'a chunk of no example',
      { axes: { chunk: [0] } },
      'the cell {"chunk":0}: empiricalRisk: chunk is 0. It must be an integer of at least 1.',
    ],
    ['options of what has none', { axes: { 'model.hidden': [[4]] } }, "there is nothing at 'model.hidden'"],
    ['the same value twice', { axes: { seed: [1, 1] } }, 'cells 0 and 1 are the same: {"seed":1}'],
    [
      'equal factors through 0',
      { axes: { learningRate: { from: 0, to: 1, count: 3, scale: 'log' } } },
      'Equal factors need numbers above 0',
    ],
    [
      'zipped axes of two lengths',
      { axes: { seed: [0, 1], batchSize: [4] }, zip: [['seed', 'batchSize']] },
      'seed, batchSize side by side, which have 2, 1 values',
    ],
    [
      'a zipped axis that is none',
      { axes: { seed: [0] }, zip: [['seed', 'epoch']] },
      'zip names epoch, which is no axis',
    ],
  ])('refuses %s', (_name, request, message) => {
    expect(() => planSweep({ pipeline, ...request })).toThrow(message);
  });
});
