import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import {
  concat,
  concatMap,
  defer,
  EMPTY,
  filter,
  lastValueFrom,
  map,
  NEVER,
  type Observable,
  of,
  Subject,
  take,
  takeWhile,
  tap,
  throwError,
  toArray,
} from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openStep, type Step } from '../../src/core/Step.ts';
import { throttleSteps } from '../../src/operators/throttleSteps.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { objectiveOf } from '../../src/recording/objectiveOf.ts';
import { type RecordOptions, record } from '../../src/recording/record.ts';
import { replay } from '../../src/recording/replay.ts';
import { resume } from '../../src/recording/resume.ts';
import { recover } from '../../src/runs/recover.ts';
import { run } from '../../src/runs/run.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';
import { stepAt } from '../helpers/stepAt.ts';
import { collect, held, plain } from './plain.ts';

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
const indices = () => held(path).indices;
/** What the source of `train` says of itself. */
const metadata = { ...options, optimizer: 'gradientDescent', objective: objective.metadata };
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

  it('leaves out what a run does not have: velocity, a batch of all examples, the gradient unless asked', async () => {
    await collect(gradientDescent(objective, { learningRate: 0.05, steps: 2 }).pipe(record(path)));
    expect(read().schema.names).toEqual(expect.not.arrayContaining(['velocity', 'gradient']));
    expect(read().getChild('batch')!.toJSON()).toEqual([null, null, null]);
  });

  it('says in its header what rebuilds the run', async () => {
    await collect(train().pipe(record(path, { every: 2 })));
    const keyValues = read().schema.metadata;
    expect(keyValues.get('brink.recording')).toBe('2');
    expect(JSON.parse(keyValues.get('brink.recording.header')!)).toMatchObject({
      source: metadata,
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
    const source = new Subject<Step>();
    source.pipe(record(path)).subscribe();
    for (const index of [0, 1, 2]) {
      const weights = new Float32Array(5).fill(index);
      source.next(stepAt(weights, { index }));
      weights.fill(-1);
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
    const first = { bytes: statSync(path).size, steps };
    expect(told).toEqual([first, false]);
    // Behind a throttle it is the most that may come.
    const thinned = { ...selection, overwrite: true, onEstimate };
    await collect(train().pipe(throttleSteps(2), record(path, thinned)));
    expect(told.slice(2)).toEqual([first, false]);
    expect(statSync(path).size).toBeLessThanOrEqual(first.bytes);
    // Of a source that does not say how long it is nothing is known.
    await collect(of(stepAt(new Float32Array(5))).pipe(record(path, { overwrite: true, onEstimate })));
    expect(told).toHaveLength(4);
  });

  it('tells how large the recording of a thinned replay will be', async () => {
    await collect(train().pipe(record(path)));
    const told: unknown[] = [];
    const other = join(folder, 'other.arrows');
    await collect(replay(path, { every: 3 }).pipe(record(other, { onEstimate: (estimate) => told.push(estimate) })));
    expect(told).toEqual([{ bytes: statSync(other).size, steps: 4 }]);
  });

  it('refuses a recording that is there at the first step; with overwrite it replaces that and no more', async () => {
    await collect(train().pipe(record(path)));
    const before = readFileSync(path);
    const passes = objective.cost.gradients;
    await expect(collect(train().pipe(record(path)))).rejects.toThrow(/^record: .*recording\.arrows is there already/);
    // That of the first step.
    expect(objective.cost.gradients).toBeCloseTo(passes + 3 / 12);
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
    const begun = new Promise<{ unsubscribe(): void }>((resolve) => {
      const held = train().pipe(
        tap((step) => step.waitUntil(new Promise(() => {}))),
        record(path),
      );
      const subscription = held.subscribe(() => resolve(subscription));
    });
    const subscription = await begun;
    for (const source of [train().pipe(record(path, { overwrite: true })), resume(path).pipe(record())]) {
      await expect(collect(source)).rejects.toThrow(/in use by process \d+/);
    }
    subscription.unsubscribe();
    await collect(train().pipe(record(path, { overwrite: true })));
  });

  it('refuses a second sink of the same name in one run', async () => {
    const source = new Subject<Step>();
    const [first, second, third] = [{}, {}, { overwrite: true }].map((more) =>
      collect(source.pipe(record(path, more))),
    );
    const refused = [
      expect(second).rejects.toThrow(/^record: .* is there already\./),
      expect(third).rejects.toThrow(/^record: .* is in use by process/),
    ];
    for (const index of [0, 1]) source.next(stepAt(new Float32Array(5), { index }));
    source.complete();
    await Promise.all(refused);
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
    expect(() => record(path, { overwrite: 'no' as never })).toThrow("record: overwrite is 'no'. It must be true or");
    expect(() => record(path, { gradient: 1 as never })).toThrow('record: gradient is 1. It must be true or false.');
    expect(() => record(5 as never)).toThrow("record: the path is 5. It must end in '.arrows'.");
    expect(() => record('weights.parquet')).toThrow("record: the path is 'weights.parquet'. It must end in '.arrows'");
    expect(() => record(path, { every: 0 })).toThrow('every is 0');
    expect(() => record(path, { from: -1 })).toThrow('from is -1');
    expect(() => record(path, { from: 3, to: 2 })).toThrow('to is 2');
    expect(() => record(path, { append: true } as never)).toThrow("record: there is no option 'append'.");
  });

  it('refuses to replace the recording that its steps are read from', async () => {
    await collect(train().pipe(record(path)));
    const before = readFileSync(path);
    await expect(collect(replay(path).pipe(record(path, { overwrite: true })))).rejects.toThrow(
      /^record: .*recording\.arrows is what this run reads, and overwrite would remove it/,
    );
    expect(readFileSync(path)).toEqual(before);
  });

  it.each<[string, (step: Step) => unknown, string]>([
    [
      'a spread step',
      (step) => ({ ...step }),
      "record: step 1 is a copy, which has a step's data and no longer its run",
    ],
    ['something else', () => 'a letter', 'record: a value of type string came where a step was expected'],
  ])('refuses %s that comes where a step was expected, and keeps the steps before', async (_, change, message) => {
    const changed = train().pipe(map((step) => (step.index === 1 ? change(step) : step) as Step));
    await expect(collect(changed.pipe(record(path)))).rejects.toThrow(message);
    expect(indices()).toEqual([0]);
    await expect(
      collect(
        train().pipe(
          map((step) => ({ ...step }) as Step),
          record(path),
        ),
      ),
    ).rejects.toThrow(
      "record: step 0 is a copy, which has a step's data and no longer its run. Pass the step itself on",
    );
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
    expect(held(path).tornBytes).toBe(0);
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
    expect(header).toMatchObject({ source: metadata, run: { user: { purpose: 'test' } } });
    const [step] = await lastValueFrom(replay(path, { objective }).pipe(toArray()));
    expect(step!.run.metadata).toEqual(header.source);
    await run(train(), { recording: (s) => s.pipe(record()) }, { ...quiet, overwrite: true });
  });

  it('has the name of its branch, unless another is named', async () => {
    await run(
      train(),
      {
        weights: (s) => s.pipe(record()),
        rest: (s) => s.pipe(record('deep/rest.arrows', { from: 8 })),
      },
      quiet,
    );
    path = join(folder, 'run', 'weights.arrows');
    expect(indices()).toHaveLength(10);
    path = join(folder, 'run', 'deep', 'rest.arrows');
    expect(indices()).toEqual([8, 9]);
    const { files } = JSON.parse(readFileSync(join(folder, 'run', 'run.json'), 'utf8'));
    expect(files).toEqual(['log.jsonl', 'weights.arrows', 'deep/rest.arrows']);
  });

  const OPERATORS: Record<string, (steps: Observable<Step>) => Observable<Step>> = {
    takeWhile: (steps) => steps.pipe(takeWhile(({ index }) => index < 5, true)),
    tap: (steps) => steps.pipe(tap(() => {})),
    filter: (steps) => steps.pipe(filter(({ index }) => index !== 3)),
    'concatMap and defer': (steps) => defer(() => steps.pipe(concatMap((step) => of(step)))),
  };

  it.each(Object.entries(OPERATORS))('loses nothing behind %s, on the source or in the branch', async (_, through) => {
    const wanted = (await collect(through(train()))).map(({ index }) => index);
    const sources = {
      source: [through(train()), (s: Observable<Step>) => s] as const,
      branch: [train(), through] as const,
    };
    for (const [where, [source, within]] of Object.entries(sources)) {
      const directory = join(folder, where);
      const ended = await run(
        source,
        {
          steps: (s) => within(s).pipe(record()),
          loss: (s) => within(s).pipe(trainingLoss(), toParquet()),
        },
        { ...quiet, directory, metadata: { purpose: 'test' } },
      );
      expect(ended.state).toBe('finished');
      path = join(directory, 'steps.arrows');
      expect(held(path)).toMatchObject({
        indices: wanted,
        header: { source: metadata, run: { user: { purpose: 'test' } } },
      });
      expect((await objectiveOf(path)).metadata).toEqual(objective.metadata);
      expect(await collect(replay(path))).toEqual(
        (await collect(train())).filter(({ index }) => wanted.includes(index)),
      );
      const { rows, metadata: about } = await readTable(join(directory, 'loss.parquet'));
      expect(rows.map(({ step }) => step)).toEqual(wanted);
      expect(about).toMatchObject({ source: metadata, user: { purpose: 'test' }, objective: objective.metadata });
      const { files } = JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8'));
      expect(files).toEqual(expect.arrayContaining(readdirSync(directory).filter((file) => file !== 'run.json')));
    }
  });

  it('refuses a recording that is there before anything is measured, and leaves no trace of the run', async () => {
    const directory = join(folder, 'run');
    path = join(directory, 'recording.arrows');
    await collect(train().pipe(record(path)));
    const before = readFileSync(path);
    const passes = objective.cost.gradients;
    const branches = {
      loss: (s: Observable<Step>) => s.pipe(trainingLoss(), toParquet()),
      all: (s: Observable<Step>) => s,
    };
    for (const overwrite of [false, true]) {
      const refused = run(train(), { ...branches, recording: (s) => s.pipe(record()) }, { ...quiet, overwrite });
      await expect(refused).rejects.toThrow(/^record: .*recording\.arrows is there already/);
    }
    expect(objective.cost.gradients).toBeCloseTo(passes + 2 * (3 / 12));
    expect(readdirSync(directory)).toEqual(['recording.arrows']);
    expect(readFileSync(path)).toEqual(before);
  });

  it('refuses two branches that would record into one file, and a spread step, before there is a folder', async () => {
    const same = (s: Observable<Step>) => s.pipe(record('same.arrows'));
    await expect(run(train(), { one: same, two: same }, quiet)).rejects.toThrow(
      /^record: the branches one and two would both write .*same\.arrows/,
    );
    const spread = train().pipe(map((step) => ({ ...step }) as Step));
    await expect(run(spread, { one: same }, quiet)).rejects.toThrow(
      "step 0 is a copy, which has a step's data and no longer its run",
    );
    expect(existsSync(join(folder, 'run'))).toBe(false);
  });

  it('does not list a recording that it goes on with, so that no later run removes it', async () => {
    const directory = join(folder, 'run');
    path = join(directory, 'recording.arrows');
    await collect(train().pipe(record(path, { to: 3 })));
    const before = readFileSync(path);
    for (const recording of [record(), record('recording.arrows'), record()]) {
      await run(resume(path), { recording: (s) => s.pipe(recording), all: (s) => s }, { ...quiet, overwrite: true });
      expect(JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8')).files).toEqual(['log.jsonl']);
    }
    expect(readFileSync(path)).toEqual(before);
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
