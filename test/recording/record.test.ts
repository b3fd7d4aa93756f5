import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { concat, EMPTY, lastValueFrom, NEVER, of, Subject, take, throwError } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openStep, type Step } from '../../src/core/Step.ts';
import { throttleSteps } from '../../src/operators/throttleSteps.ts';
import { type RecordOptions, record } from '../../src/recording/record.ts';
import { replay } from '../../src/recording/replay.ts';
import { run } from '../../src/runs/run.ts';
import { recover } from '../../src/tables/recover.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';
import { stepAt } from '../helpers/stepAt.ts';
import { collect, plain } from './plain.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-record-'));
  path = join(folder, 'recording.arrows');
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const objective = regression();
const options = { learningRate: 0.05, steps: 9, batchSize: 3, beta1: 0.4, beta2: 0.2, seed: 3 };
const train = () => gradientDescent(objective, options);
const read = () => tableFromIPC(readFileSync(path));
const indices = () => [...replay(path, { objective }).indices];
const failure = (run: Promise<unknown>) =>
  run.then(
    () => null,
    (error: Error) => error,
  );

describe('record', () => {
  it('writes what a step is, as a reader of Arrow sees it', async () => {
    const steps = await collect(train().pipe(record(path, { gradient: true })));
    const rows = read().toArray();
    expect(rows).toHaveLength(10);
    for (const [k, row] of rows.entries()) {
      const { weights, velocity, gradient, batch, ...scalars } = row.toJSON();
      expect(scalars).toEqual({
        step: k,
        epoch: steps[k]!.epoch,
        batch_loss: steps[k]!.batchLoss,
        learning_rate: 0.05,
        beta1: 0.4,
        beta2: 0.2,
        batch_size: 3,
        replacement: false,
      });
      expect(weights.toArray()).toEqual(steps[k]!.weights);
      expect(velocity.toArray()).toEqual(steps[k]!.velocity);
      expect(gradient.toArray()).toEqual(steps[k]!.gradient);
      expect(batch.toArray()).toEqual(steps[k]!.batch);
    }
    expect(String(read().schema.fields.find(({ name }) => name === 'weights')?.type)).toBe('FixedSizeList[5]<Float32>');
  });

  it('leaves out what a run does not have: velocity without momentum, the batch of all examples, the gradient unless asked', async () => {
    await collect(gradientDescent(objective, { learningRate: 0.05, steps: 2 }).pipe(record(path)));
    expect(read().schema.names).toEqual(expect.not.arrayContaining(['velocity', 'gradient']));
    expect(read().getChild('batch')!.toJSON()).toEqual([null, null, null]);
  });

  it('says in its header what rebuilds the run', async () => {
    await collect(train().pipe(record(path, { every: 2 })));
    const keyValues = read().schema.metadata;
    expect(keyValues.get('brink.recording')).toBe('1');
    expect(JSON.parse(keyValues.get('brink.recording.header')!)).toMatchObject({
      source: { ...options, optimizer: 'gradientDescent', objective: objective.metadata },
      selection: { every: 2, from: 0, to: null },
      run: { brink: expect.any(String), node: process.version },
    });
  });

  it('has handed every step to the system before it passes it on, and passes it on as it came', async () => {
    const source = new Subject<Step>();
    const seen: Step[] = [];
    source.pipe(record(path)).subscribe((step) => {
      seen.push(step);
      expect(indices()).toEqual(seen.map(({ index }) => index));
    });
    expect(existsSync(path)).toBe(false);
    const sent = [0, 1, 2].map((index) => stepAt(Float32Array.of(index, 1, 2, 3, 4), { index }));
    for (const step of sent) source.next(step);
    expect(seen).toEqual(sent);
    expect(seen[1]).toBe(sent[1]);
    expect(read().numRows).toBe(3);
  });

  it('keeps the weights of the moment, also where their owner changes them later', async () => {
    const weights = Float32Array.of(1, 2, 3, 4, 5);
    const source = new Subject<Step>();
    source.pipe(record(path)).subscribe();
    for (const index of [0, 1, 2]) {
      weights.fill(index);
      source.next(stepAt(weights, { index }));
    }
    source.complete();
    const firsts = read()
      .toArray()
      .map((row) => row.weights.get(0));
    expect(firsts).toEqual([0, 1, 2]);
  });

  it.each<[RecordOptions, number[]]>([
    [{ every: 4 }, [0, 4, 8]],
    [{ from: 7 }, [7, 8, 9]],
    [{ to: 1 }, [0, 1]],
    [{ every: 3, from: 2, to: 8 }, [3, 6]],
  ])('records with %o the steps of these indices, and passes all on', async (selection, wanted) => {
    expect(await collect(train().pipe(record(path, selection)))).toHaveLength(10);
    expect(indices()).toEqual(wanted);
  });

  it('records what a throttle in front of it lets through', async () => {
    await collect(train().pipe(throttleSteps(3, 1), record(path)));
    expect(indices()).toEqual([1, 4, 7]);
  });

  it.each<[RecordOptions, number]>([
    [{}, 10],
    [{ every: 4, from: 1 }, 2],
  ])('tells with %o how large the recording will be, to the byte, before there is one', async (selection, steps) => {
    const told: unknown[] = [];
    const onEstimate = (estimate: object) => told.push(estimate, existsSync(path));
    await collect(train().pipe(record(path, { ...selection, onEstimate })));
    expect(told).toEqual([{ bytes: statSync(path).size, steps }, false]);
    await collect(train().pipe(throttleSteps(1), record(path, { overwrite: true, onEstimate })));
    expect(told).toHaveLength(2);
  });

  it('refuses a recording that is there, before any step is taken; with overwrite it replaces it, and nothing else', async () => {
    await collect(train().pipe(record(path)));
    const before = readFileSync(path);
    const passes = objective.cost.gradients;
    await expect(collect(train().pipe(record(path)))).rejects.toThrow(/^record: .*recording\.arrows is there already/);
    expect(objective.cost.gradients).toBe(passes);
    expect(readFileSync(path)).toEqual(before);
    await collect(train().pipe(record(path, { to: 1, overwrite: true })));
    expect(indices()).toEqual([0, 1]);
    writeFileSync(path, 'a letter');
    await expect(collect(train().pipe(record(path, { overwrite: true })))).rejects.toThrow(
      'holds no whole Arrow schema',
    );
    expect(readFileSync(path, 'utf8')).toBe('a letter');
  });

  it('refuses one that is being written', async () => {
    const subscription = concat(of(stepAt(new Float32Array(5))), NEVER)
      .pipe(record(path))
      .subscribe();
    for (const more of [{ overwrite: true }, { append: true }]) {
      await expect(collect(train().pipe(record(path, more)))).rejects.toThrow(/in use by process \d+/);
    }
    subscription.unsubscribe();
    await collect(train().pipe(record(path, { overwrite: true })));
  });

  it('refuses a second sink of the same name in one run', async () => {
    const source = new Subject<Step>();
    const [first, second] = [source.pipe(record(path)), source.pipe(record(path))].map((steps) => collect(steps));
    const refused = expect(second).rejects.toThrow(
      /^record: .* cannot be opened: EEXIST.* Another sink began it meanwhile/,
    );
    for (const index of [0, 1]) source.next(stepAt(new Float32Array(5), { index }));
    source.complete();
    await refused;
    expect(await first).toHaveLength(2);
    expect(indices()).toEqual([0, 1]);
  });

  it('refuses steps that fall, or that are unlike the first, and keeps the ones before', async () => {
    const step = (index: number, m = 5) => stepAt(new Float32Array(m), { index });
    await expect(collect(of(step(0), step(2), step(2)).pipe(record(path)))).rejects.toThrow('step 2 came after step 2');
    expect(indices()).toEqual([0, 2]);
    await expect(collect(of(step(0), step(1, 4)).pipe(record(path, { overwrite: true })))).rejects.toThrow(
      'step 1 has 4 weights and no velocity, and the recording 5 and none',
    );
    expect(indices()).toEqual([0]);
  });

  it("throws at the call for a caller's mistake", () => {
    expect(() => record('weights.parquet')).toThrow("record: the path is 'weights.parquet'. It must end in '.arrows'");
    expect(() => record(path, { every: 0 })).toThrow('every is 0');
    expect(() => record(path, { from: -1 })).toThrow('from is -1');
    expect(() => record(path, { from: 3, to: 2 })).toThrow('to is 2');
    expect(() => record(path, { append: true, overwrite: true })).toThrow('append and overwrite are both true');
  });
});

describe('record keeps the contract of what stands in a stream', () => {
  it('stays silent while its source does, and makes no file', () => {
    const seen: unknown[] = [];
    const subscription = NEVER.pipe(record(path)).subscribe((step) => seen.push(step));
    expect([seen, subscription.closed, existsSync(path)]).toEqual([[], false, false]);
    subscription.unsubscribe();
  });

  it('completes without a file when no step comes', async () => {
    expect(await collect(EMPTY.pipe(record(path)))).toEqual([]);
    expect(existsSync(path)).toBe(false);
  });

  it("passes its source's error on as it is, behind a whole recording", async () => {
    const error = new Error('the source broke');
    const broken = concat(
      train().pipe(take(3)),
      throwError(() => error),
    ).pipe(record(path));
    expect(await failure(lastValueFrom(broken))).toBe(error);
    expect(indices()).toEqual([0, 1, 2]);
    expect(replay(path, { objective }).tornBytes).toBe(0);
  });

  it('ends the file when it is unsubscribed', async () => {
    const steps = await collect(train().pipe(record(path), take(4)));
    expect(indices()).toEqual([0, 1, 2, 3]);
    expect(readFileSync(path).subarray(-8)).toEqual(Buffer.of(255, 255, 255, 255, 0, 0, 0, 0));
    expect(await collect(replay(path, { objective }))).toEqual(steps);
  });

  it('makes a file of its own for each subscription, or refuses the second', async () => {
    const recorded = train().pipe(record(path));
    await collect(recorded);
    expect((await failure(collect(recorded)))?.message).toContain('is there already');
  });
});

describe('record in a run', () => {
  const quiet = { progress: false, directory: '' };
  beforeEach(() => {
    quiet.directory = join(folder, 'run');
  });

  it('writes into its folder, is listed in run.json, and holds what the run says of itself', async () => {
    await run(train(), { recording: (s) => s.pipe(record()) }, { ...quiet, metadata: { purpose: 'test' } });
    path = join(folder, 'run', 'recording.arrows');
    const { files } = JSON.parse(readFileSync(join(folder, 'run', 'run.json'), 'utf8'));
    expect(files).toContain('recording.arrows');
    const header = JSON.parse(read().schema.metadata.get('brink.recording.header')!);
    expect(header).toMatchObject({ source: train().metadata, run: { user: { purpose: 'test' } } });
    expect(replay(path, { objective }).metadata).toEqual(train().metadata);
    await run(train(), { recording: (s) => s.pipe(record()) }, { ...quiet, overwrite: true });
  });

  it('does not list a recording that it refused, or that it goes on with, so that no later run removes it', async () => {
    const directory = join(folder, 'run');
    path = join(directory, 'recording.arrows');
    await collect(train().pipe(record(path, { to: 3 })));
    const before = readFileSync(path);
    const { exitCode } = process;
    for (const recording of [record(), record('recording.arrows', { append: true })]) {
      await run(train(), { recording: (s) => s.pipe(recording), all: (s) => s }, { ...quiet, overwrite: true });
      expect(JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8')).files).toEqual(['log.jsonl']);
    }
    expect(readFileSync(path)).toEqual(before);
    process.exitCode = exitCode;
  });

  it('is left alone by recover, finished or not', async () => {
    await run(train(), { recording: (s) => s.pipe(record()) }, quiet);
    path = join(folder, 'run', 'recording.arrows');
    expect(await recover(folder)).toEqual([]);
    const { size } = statSync(path);
    writeFileSync(path, readFileSync(path).subarray(0, size - 30));
    expect(await recover(folder)).toEqual([]);
    expect(statSync(path).size).toBe(size - 30);
  });
});

it('a step that a recording holds is a step like any other', async () => {
  await collect(train().pipe(record(path)));
  const [step] = await collect(replay(path, { from: 4, to: 4 }));
  expect(plain(openStep(step!).step)).toEqual(step);
});
