import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { RecordBatch, Schema, Table, tableFromIPC, tableToIPC } from 'apache-arrow';
import { firstValueFrom, lastValueFrom, type Observable, take, tap, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Objective } from '../../src/core/Objective.ts';
import type { Step } from '../../src/core/Step.ts';
import { leastSquares } from '../../src/objectives/leastSquares.ts';
import { quadratic, toy } from '../../src/objectives/quadratic.ts';
import { interactionAwareSharpness } from '../../src/probes/interactionAwareSharpness.ts';
import { topEigenvalues } from '../../src/probes/topEigenvalues.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { fork } from '../../src/recording/fork.ts';
import { objectiveOf } from '../../src/recording/objectiveOf.ts';
import { record } from '../../src/recording/record.ts';
import { replay } from '../../src/recording/replay.ts';
import { resume } from '../../src/recording/resume.ts';
import { run } from '../../src/runs/run.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';
import { watchPasses } from '../helpers/watchPasses.ts';
import { collect, held, plain } from './plain.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-replay-'));
  path = join(folder, 'recording.arrows');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const RUNS = {
  'gradient descent': { learningRate: 0.1 },
  SGD: { learningRate: 0.05, batchSize: 3 },
  'SGD with replacement': { learningRate: 0.05, batchSize: 12, replacement: true },
  "Polyak's momentum": { learningRate: 0.05, beta1: 0.5 },
  "Nesterov's momentum": { learningRate: 0.05, beta1: 0.5, beta2: 0.5 },
  "SGD with Nesterov's momentum": { learningRate: 0.05, batchSize: 3, beta1: 0.5, beta2: 0.5 },
} as const;
const cases = Object.entries(RUNS).flatMap(([name, options]) =>
  [false, true].map((gradient) => [name, gradient ? 'with' : 'without', options, gradient] as const),
);
const objective = regression();
const train = (options: (typeof RUNS)[keyof typeof RUNS] = RUNS.SGD, steps = 9) =>
  gradientDescent(objective, { seed: 5, ...options, steps });

describe('replay', () => {
  it.each(cases)('gives the steps of %s %s recorded gradients to the bit', async (_, __, options, gradient) => {
    const live = await collect(train(options).pipe(record(path, { gradient })));
    const again = replay(path);
    expect(await collect(again)).toEqual(live);
    expect(await collect(again)).toEqual(live);
    expect(held(path).tornBytes).toBe(0);
    const steps = await lastValueFrom(again.pipe(toArray()));
    for (const { run } of steps) expect(run).toBe(steps[0]!.run);
    expect(steps[0]!.run).toMatchObject({ total: 10, last: 9, reads: [path], resumes: null });
    const { metadata } = (await firstValueFrom(train(options))).run;
    expect(steps[0]!.run.metadata).toEqual(metadata);
  });

  it.each(Object.entries(RUNS))('gives probes on %s tables that are the same to the byte', async (_, options) => {
    const branches = {
      loss: (s: Observable<Step>) => s.pipe(trainingLoss(), toParquet()),
      eigenvalues: (s: Observable<Step>) => s.pipe(topEigenvalues({ count: 2 }), toParquet()),
      sharpness: (s: Observable<Step>) => s.pipe(interactionAwareSharpness(), toParquet()),
    };
    const quiet = { progress: false, metadata: { purpose: 'test' } };
    const live = { ...branches, recording: (s: Observable<Step>) => s.pipe(record(path)) };
    expect((await run(train(options), live, { ...quiet, directory: join(folder, 'live') })).state).toBe('finished');
    const runs: string[] = [];
    for (const [name, given] of Object.entries({ again: {}, built: { objective: await objectiveOf(path) } })) {
      await run(replay(path, given), branches, { ...quiet, directory: join(folder, name) });
      for (const file of ['loss.parquet', 'eigenvalues.parquet', 'sharpness.parquet']) {
        const same = readFileSync(join(folder, name, file)).equals(readFileSync(join(folder, 'live', file)));
        expect(same, `${name}/${file}`).toBe(true);
        runs.push((await readTable(join(folder, name, file))).metadata.run as string);
      }
    }
    expect(runs[0]).toMatch(/^[0-9a-f]{12}$/);
    expect(new Set(runs).size).toBe(1);
  });

  it('computes nothing where the gradient is recorded, and else shares ∇L with the probes', async () => {
    await collect(train(RUNS['gradient descent']).pipe(record(path)));
    const probed = regression();
    await lastValueFrom(replay(path, { objective: probed }).pipe(trainingLoss()));
    expect(probed.cost).toEqual({ forwards: 0, gradients: 10, products: 0 });
    await collect(train(RUNS['gradient descent']).pipe(record(path, { gradient: true, overwrite: true })));
    const idle = regression();
    await collect(replay(path, { objective: idle }));
    expect(idle.cost.gradients).toBe(0);
  });

  it('goes to any step at once', async () => {
    const live = await collect(train().pipe(record(path)));
    const of = async (options: Parameters<typeof replay>[1]) => collect(replay(path, options));
    expect(await of({ from: 7, to: 7 })).toEqual([live[7]]);
    expect(await of({ from: 8 })).toEqual(live.slice(8));
    expect(await of({ to: 1 })).toEqual(live.slice(0, 2));
    expect(await of({ every: 4, from: 1 })).toEqual([live[4], live[8]]);
    expect(await of({ every: 4, offset: 3 })).toEqual([live[3], live[7]]);
    expect(await of({ every: 4, offset: 7, from: 4 })).toEqual([live[7]]);
    const watched = watchPasses(regression(), () => {});
    await collect(
      replay(path, { from: 7, to: 7, objective: Object.assign(watched, { metadata: objective.metadata }) }),
    );
    expect(watched.cost.gradients).toBeCloseTo(3 / 12);
  });

  it('replays what was thinned out, by the index of its steps', async () => {
    const live = await collect(train().pipe(record(path, { every: 3 })));
    expect(await collect(replay(path))).toEqual([0, 3, 6, 9].map((k) => live[k]));
    const thinned = await lastValueFrom(replay(path, { every: 2 }).pipe(toArray()));
    expect(thinned.map(plain)).toEqual([live[0], live[6]]);
    expect(thinned[0]!.run).toMatchObject({ total: 2, last: 6 });
  });

  it('does not read on before everything registered on a step has settled', async () => {
    await collect(train().pipe(record(path)));
    const gate = Promise.withResolvers<void>();
    const seen: number[] = [];
    const L = regression();
    const ended = lastValueFrom(
      replay(path, { objective: L }).pipe(
        tap((step) => {
          seen.push(step.index);
          if (step.index === 1) step.waitUntil(gate.promise);
        }),
      ),
    );
    for (let k = 0; k < 30; k++) await setImmediate();
    expect(seen).toEqual([0, 1]);
    expect(L.cost.gradients).toBeCloseTo(2 * (3 / 12));
    gate.resolve();
    await ended;
    expect(seen).toHaveLength(10);
  });

  it('ends when it is unsubscribed, and lets go of the file', async () => {
    await collect(train().pipe(record(path)));
    const L = regression();
    const steps = await lastValueFrom(replay(path, { objective: L }).pipe(take(3), toArray()));
    for (let k = 0; k < 10; k++) await setImmediate();
    expect([steps.length, L.cost.gradients * 4]).toEqual([3, 3]);
    // Nobody has it open, or this would be refused.
    await collect(train().pipe(record(path, { overwrite: true })));
  });
});

it('a recording of another run in its place since it was opened is noticed, by whoever reads it', async () => {
  await collect(train().pipe(record(path)));
  const opened = [replay(path), resume(path, { steps: 12 }), fork(path, { steps: 2 })];
  const other = gradientDescent(objective, { ...RUNS.SGD, seed: 6, steps: 9 });
  await collect(other.pipe(record(path, { overwrite: true })));
  for (const steps of opened) {
    await expect(collect(steps)).rejects.toThrow(/recording\.arrows is of another run than when it was opened/);
  }
});

it('a recording that was replaced since it was opened is noticed', async () => {
  await collect(train().pipe(record(path)));
  const steps = replay(path, { from: 4 });
  await collect(train().pipe(record(path, { every: 2, overwrite: true })));
  await expect(collect(steps)).rejects.toThrow('does not hold step 4 where it did when it was opened');
});

describe('a recording that was cut off', () => {
  it('is replayed up to its last whole step wherever the cut is, and says how many bytes were torn', async () => {
    const live = await collect(train().pipe(record(path, { to: 9 })));
    const whole = readFileSync(path);
    const lengthTo = async (to: number) => {
      await collect(train(RUNS.SGD).pipe(record(path, { to, overwrite: true })));
      return readFileSync(path).length;
    };
    const step = (await lengthTo(8)) - (await lengthTo(7));
    const end = whole.length - 8 - step;
    for (let cut = end; cut < whole.length; cut++) {
      writeFileSync(path, whole.subarray(0, cut));
      const isWhole = cut >= end + step;
      const { indices, tornBytes } = held(path);
      expect(indices, `cut at ${cut}`).toHaveLength(isWhole ? 10 : 9);
      expect(tornBytes).toBe(cut - (isWhole ? end + step : end));
      const { run } = await firstValueFrom(replay(path, { objective }));
      expect([run.total, run.last]).toEqual(isWhole ? [10, 9] : [9, 8]);
    }
    writeFileSync(path, whole.subarray(0, end + 40));
    expect(await collect(replay(path))).toEqual(live.slice(0, 9));
  });

  it('before its first step holds none, and says so', async () => {
    await collect(train().pipe(record(path)));
    writeFileSync(path, readFileSync(path).subarray(0, 100));
    expect(() => replay(path)).toThrow(/^replay: .* holds no whole Arrow schema/);
  });
});

describe('a recording of something else is refused', () => {
  beforeEach(() => collect(train().pipe(record(path))));

  it.each<[string, () => Objective, RegExp]>([
    ['data', () => withData('b'), /was recorded with data\.train\.inputsSha256 "a", and the objective has "b"/],
    [
      'loss',
      () => withData('a', { loss: { name: 'crossEntropy' } }),
      /loss\.name "meanSquaredError", and the objective has "crossEntropy"/,
    ],
    ['n', () => withData('a', { n: 13 }), /with n 12, and the objective has 13/],
    [
      'model',
      () => withData('a', { model: { name: 'mlp', hidden: [3] } }),
      /model\.hidden\.0 2, and the objective has 3/,
    ],
  ])('with other %s, naming both', async (_, other, message) => {
    const recorded = withData('a');
    await collect(gradientDescent(recorded, { learningRate: 0.1, steps: 2 }).pipe(record(path, { overwrite: true })));
    expect(() => replay(path, { objective: other() })).toThrow(message);
    await collect(replay(path, { objective: withData('a', { chunk: 3, engine: { name: 'other' } }) }));
  });

  it('with another number of parameters, and another kind of objective', () => {
    expect(() => replay(path, { objective: toy() })).toThrow(
      /weights of 5 entries, and the objective has 2 parameters/,
    );
    const A = Array.from({ length: 5 }, (_, i) => Array.from({ length: 5 }, (_, j) => (i === j ? 1 : 0)));
    expect(() => replay(path, { objective: quadratic({ A }) })).toThrow(
      'objective "leastSquares", and the objective has "quadratic"',
    );
  });

  it('of an unknown version by its name, of none, and of other columns', async () => {
    const { schema, batches } = tableFromIPC(readFileSync(path));
    // Another writer's, without checksums.
    const rewrite = (keyValues: Map<string, string>) => {
      keyValues.delete('brink.crc32');
      const changed = new Schema(schema.fields, keyValues);
      writeFileSync(
        path,
        tableToIPC(
          new Table(
            changed,
            batches.map(({ data }) => new RecordBatch(changed, data)),
          ),
          'stream',
        ),
      );
    };
    rewrite(new Map([...schema.metadata, ['brink.recording', '17']]));
    expect(() => replay(path)).toThrow(
      /^replay: .*recording\.arrows is a recording of format version '17'\. This brink reads the versions 1 and 2/,
    );
    rewrite(new Map([...schema.metadata, ['brink.recording.header', '{"source": null']]));
    expect(() => replay(path)).toThrow(/has a damaged header/);
    rewrite(new Map());
    expect(() => replay(path)).toThrow(/is no recording \(its key-values have no brink\.recording\)/);
    writeFileSync(path, 'PAR1 and so on');
    expect(() => replay(path)).toThrow(/is a Parquet file, not a recording\. A table is read by readTable\.$/);
    schema.metadata.delete('brink.crc32');
    const columns = new Schema(schema.fields.slice(1), schema.metadata);
    writeFileSync(path, tableToIPC(new Table(columns), 'stream'));
    expect(() => replay(path)).toThrow(/has other columns than a recording/);
  });

  it('where there is none, or none of its steps is meant', () => {
    expect(() => replay(join(folder, 'nothing.arrows'))).toThrow(
      /^replay: the recording .*nothing\.arrows cannot be opened: ENOENT/,
    );
    expect(() => replay(path, { from: 10 })).toThrow(/holds steps 0 to 9, and none with from 10/);
    expect(() => replay(path, { from: 3, to: 2 })).toThrow('replay: to is 2');
    expect(() => replay(path, { every: 0.5 })).toThrow('replay: every is 0.5');
    expect(() => replay(path, { offset: -1 })).toThrow('replay: offset is -1');
    expect(() => replay(path, { every: 20, offset: 12 })).toThrow(
      /holds steps 0 to 9, and none with from 0, to the last, every 20, offset 12/,
    );
    expect(() => replay(path, { form: 3 } as never)).toThrow("replay: there is no option 'form'. Did you mean from?");
  });
});

it('a table of a replay names the objective that measured, engine included, and the recorded source', async () => {
  const recorded = withData('a');
  const other = withData('a', { chunk: 3, engine: { name: 'other' } });
  const source = gradientDescent(recorded, { learningRate: 0.1, steps: 2 });
  const loss = (s: Observable<Step>) => s.pipe(trainingLoss(), toParquet());
  const quiet = { progress: false };
  const live = join(folder, 'live');
  await run(source, { loss, recording: (s) => s.pipe(record()) }, { ...quiet, directory: live });
  const again = join(folder, 'again');
  await run(replay(join(live, 'recording.arrows'), { objective: other }), { loss }, { ...quiet, directory: again });
  const [first, second] = await Promise.all(
    [live, again].map(async (directory) => (await readTable(join(directory, 'loss.parquet'))).metadata),
  );
  expect([first!.objective, second!.objective]).toEqual([recorded.metadata, other.metadata]);
  expect(first).not.toHaveProperty('otherEngine');
  const otherEngine = { recorded: { name: 'wasm' }, measured: { name: 'other' } };
  expect(second).toEqual({ ...first, objective: other.metadata, otherEngine });
  expect(second!.source).toMatchObject({ optimizer: 'gradientDescent', objective: recorded.metadata });
  expect(second!.run).toBe(first!.run);
});

/** Least squares that says of itself what a network on data would. */
function withData(inputsSha256: string, more: object = {}): Objective {
  const model = { name: 'mlp', hidden: [2] };
  const data = { name: 'arrays', train: { count: 12, inputsSha256 } };
  const metadata = {
    objective: 'empiricalRisk',
    model,
    data,
    loss: { name: 'meanSquaredError' },
    n: 12,
    chunk: 12,
    engine: { name: 'wasm' },
    ...more,
  };
  return Object.assign(regression(), { metadata });
}

describe('objectiveOf', () => {
  it.each<[string, Objective]>([
    [
      'quadratic',
      quadratic({
        A: [
          [2, 1],
          [1, 3],
        ],
        b: [1, 0.1],
        c: -2,
      }),
    ],
    ['toy', toy()],
    [
      'leastSquares',
      leastSquares({
        X: [
          [1, 2],
          [3, 4.1],
        ],
        y: [1 / 3, -0.1],
      }),
    ],
  ])('rebuilds the %s with the same answers', async (_, original) => {
    await collect(gradientDescent(original, { learningRate: 0.01, steps: 1 }).pipe(record(path)));
    const rebuilt = await objectiveOf(path);
    expect(rebuilt.metadata).toEqual(original.metadata);
    const theta = Float32Array.of(0.3, -0.7);
    expect(await rebuilt.at(theta).gradient()).toEqual(await original.at(theta).gradient());
    expect(await rebuilt.at(theta).loss()).toBe(await original.at(theta).loss());
  });

  it('is what a replay without an objective asks for, whose error travels down the stream', async () => {
    const unknown = Object.assign(regression(), { metadata: { objective: 'mine' } });
    const source = gradientDescent(unknown, { learningRate: 0.1, steps: 1 });
    const live = await collect(source.pipe(record(path)));
    await expect(collect(replay(path))).rejects.toThrow(/^objectiveOf: .*Build it yourself, and hand it in/);
    expect(await collect(replay(path, { objective: unknown }))).toEqual(live);
    await collect(source.pipe(record(path, { gradient: true, overwrite: true })));
    expect(await collect(replay(path))).toEqual(live);
  });

  it('is that of the steps; where it is not to be had, and gradients are recorded, they have none', async () => {
    await collect(train().pipe(record(path)));
    const [known] = await lastValueFrom(replay(path).pipe(toArray()));
    expect(known!.run.objective!.metadata).toEqual(objective.metadata);
    const unknown = Object.assign(regression(), { metadata: { objective: 'mine' } });
    const source = gradientDescent(unknown, { learningRate: 0.1, steps: 1 });
    await collect(source.pipe(record(path, { gradient: true, overwrite: true })));
    const step = await firstValueFrom(replay(path));
    expect(step.run.objective).toBeNull();
    await expect(lastValueFrom(replay(path).pipe(trainingLoss()))).rejects.toThrow('step 0 knows no objective');
    const [row] = await lastValueFrom(replay(path).pipe(trainingLoss({ on: unknown }), toArray()));
    expect(row!.loss).toBe(await unknown.at(step.weights).loss());
  });

  it('says what it cannot build', async () => {
    const recorded = async (metadata: object) => {
      const steps = gradientDescent(Object.assign(regression(), { metadata }), { learningRate: 0.1, steps: 1 });
      await collect(steps.pipe(record(path, { overwrite: true })));
      return objectiveOf(path);
    };
    const risk = { objective: 'empiricalRisk', loss: { name: 'logCosh' }, data: { name: 'mine' }, chunk: 3 };
    await expect(recorded({ objective: 'mine' })).rejects.toThrow(
      "names an objective 'mine', which brink cannot build",
    );
    await expect(recorded({ ...risk, model: { name: 'gated' } })).rejects.toThrow(
      "the model 'gated', which is none of brink's own (mlp, cnn, cnn6, resnet9, wideResnet). " +
        'Hand it in: objectiveOf(path, { model })',
    );
    const mlp = { name: 'mlp', inputs: 2, hidden: [], outputs: 1, activation: 'tanh' };
    await expect(recorded({ ...risk, model: mlp })).rejects.toThrow(
      "on the data set 'mine', which does not come with brink",
    );
    await expect(recorded({ ...risk, model: mlp, data: { name: 'cifar10' } })).rejects.toThrow('Say where they are');
    await expect(recorded({ ...risk, model: mlp, data: { name: 'chebyshev' } })).rejects.toThrow("the loss 'logCosh'");
  });
});
