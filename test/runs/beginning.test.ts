import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defer, filter, from, lastValueFrom, map, merge, type Observable, of, takeWhile, tap, throwError } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JsonObject } from '../../src/core/Json.ts';
import { openStep, type Step } from '../../src/core/Step.ts';
import { defineTable, int32 } from '../../src/core/Table.ts';
import { throttleBudget } from '../../src/operators/throttleBudget.ts';
import { throttleSteps } from '../../src/operators/throttleSteps.ts';
import { interactionAwareSharpness, topEigenvalues, trainingLoss } from '../../src/probes/index.ts';
import { type RunOptions, run } from '../../src/runs/run.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { toArrow } from '../../src/tables/toArrow.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';
import { watchPasses } from '../helpers/watchPasses.ts';

let parent: string;
let directory: string;
const exitCode = process.exitCode;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'brink-beginning-'));
  directory = join(parent, 'run');
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = exitCode;
  rmSync(parent, { recursive: true, force: true });
});

const options = (more: RunOptions = {}): RunOptions => ({ directory, progress: false, ...more });
const train = (steps = 5, objective = regression()) => gradientDescent(objective, { learningRate: 0.1, steps });
const files = () => readdirSync(directory).sort();

describe('a run that is refused', () => {
  it.each<[string, object]>([
    ["run: overwrite is 'false'. It must be true or false.", { overwrite: 'false' }],
    ['run: progress is 0. It must be true or false.', { progress: 0 }],
    ["run: signals is 'stopp'. Did you mean 'stop'?", { signals: 'stopp' }],
    ['run: signal is an object of nothing. It must be an AbortSignal', { signal: {} }],
    ['run: metadata is null. It must be an object', { metadata: null }],
    ['run: metadata is [1]. It must be an object', { metadata: [1] }],
  ])('for an option of another type leaves the run before alone: %s', async (message, wrong) => {
    const loss = (s: Observable<Step>) => s.pipe(trainingLoss(), toParquet());
    await run(train(), { loss }, options());
    await expect(run(train(2), { loss }, options({ overwrite: true, ...wrong } as RunOptions))).rejects.toThrow(
      message,
    );
    expect((await readTable(join(directory, 'loss.parquet'))).rows).toHaveLength(6);
  });

  it('for metadata of a sink under a name that says what measured the table leaves the run before alone', async () => {
    const loss = (metadata: JsonObject) => (s: Observable<Step>) => s.pipe(trainingLoss(), toParquet({ metadata }));
    await run(train(), { loss: loss({ note: 1, seed: 2 }) }, options());
    for (const name of ['run', 'source', 'objective', 'node']) {
      const again = run(train(2), { loss: loss({ [name]: 7 }) }, options({ overwrite: true }));
      await expect(again).rejects.toThrow(`toParquet: metadata has the entry '${name}', under which a table says what`);
    }
    const { rows, metadata } = await readTable(join(directory, 'loss.parquet'));
    expect(rows).toHaveLength(6);
    expect(metadata).toMatchObject({ note: 1, seed: 2, probe: 'trainingLoss', source: { steps: 5 } });
    const alone = train().pipe(trainingLoss(), toArrow({ path: join(parent, 'x.arrows'), metadata: { probe: 'x' } }));
    await expect(lastValueFrom(alone)).rejects.toThrow("toArrow: metadata has the entry 'probe'");
    expect(readdirSync(parent)).toEqual(['run']);
  });

  it('for a branch that is no function says which', async () => {
    await expect(run(train(), { x: 5 } as never, options())).rejects.toThrow(
      'run: the branch x is 5. It is a function',
    );
    await expect(run(train(), null as never, options())).rejects.toThrow('run: the branches are null. They are');
  });

  it.each([
    [
      'options that do not go with the objective',
      (s: Observable<Step>) =>
        s.pipe(throttleSteps(3), interactionAwareSharpness({ batchSizes: [1, 1000] }), toParquet()),
      'interactionAwareSharpness: batchSizes[1] is 1000, but there are only',
    ],
    [
      'more eigenvalues than parameters, behind a throttle with a clock',
      (s: Observable<Step>) => s.pipe(throttleBudget(0.5), topEigenvalues({ count: 99 }), toParquet()),
      'topEigenvalues: count is 99, but H has only 5 eigenvalues. Ask for fewer.',
    ],
  ])('for %s measures and writes nothing', async (_, wrong, message) => {
    let passes = 0;
    const measured = watchPasses(regression(), () => {
      passes++;
    });
    const branches = { first: (s: Observable<Step>) => s.pipe(trainingLoss({ on: measured }), toParquet()), wrong };
    await expect(run(train(), branches, options())).rejects.toThrow(message);
    expect(passes).toBe(0);
    expect(existsSync(directory)).toBe(false);
  });

  it('for two branches that would write one file takes no step', async () => {
    let begun = 0;
    const steps = defer(() => {
      begun++;
      return train();
    });
    const path = 'same.parquet';
    await expect(
      run(
        steps,
        {
          a: (s) => s.pipe(trainingLoss(), toParquet({ path })),
          b: (s) => s.pipe(topEigenvalues(), filter(Boolean), toParquet({ path })),
        },
        options(),
      ),
    ).rejects.toThrow(`toParquet: the branches a and b would both write ${join(directory, path)}. One would be lost;`);
    await expect(run(steps, { a: (s) => s.pipe(trainingLoss(), toArrow(), toParquet()) }, options())).rejects.toThrow(
      'two sinks of the branch a would both write',
    );
    expect(begun).toBe(0);
    expect(existsSync(directory)).toBe(false);
  });

  it('lets go of the source, which takes no further step', async () => {
    const objective = regression();
    const wrong = (s: Observable<Step>) => s.pipe(topEigenvalues({ count: 99 }));
    await expect(run(train(1000, objective), { wrong }, options())).rejects.toThrow('count is 99');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(objective.cost.gradients).toBe(1);
  });

  it('for a branch that returns nothing, a name that no file can have, or a source that is none', async () => {
    const nothing = { a: (() => undefined) as unknown as (s: Observable<Step>) => Observable<unknown> };
    await expect(run(train(), nothing, options())).rejects.toThrow(
      'run: the branch a returned nothing. It must return',
    );
    await expect(run(train(), { 'a/b': (s) => s }, options())).rejects.toThrow('a branch is named "a/b"');
    await expect(run(train(), { '..': (s) => s }, options())).rejects.toThrow('a branch is named ".."');
    const promise = Promise.resolve(train()) as unknown as Observable<Step>;
    await expect(run(promise, { a: (s) => s }, options())).rejects.toThrow('the source is a promise. It must be');
    const misspelt = { dir: 'x' } as RunOptions;
    await expect(run(train(), { a: (s) => s }, misspelt)).rejects.toThrow("run: there is no option 'dir'");
    expect(existsSync(directory)).toBe(false);
  });

  it('for a name so long that what lies beside the table could have none', async () => {
    const table = (name: string) =>
      run(train(), { [name]: (s) => s.pipe(trainingLoss(), toParquet()) }, { ...options(), overwrite: true });
    // 201 bytes with the ending.
    await expect(table(`a${'λ'.repeat(96)}`)).rejects.toThrow(/would write a file whose name has 201 bytes/);
    expect(existsSync(directory)).toBe(false);
    await table('λ'.repeat(96));
    await table('λ'.repeat(96));
    expect((await readTable(join(directory, `${'λ'.repeat(96)}.parquet`))).rows.length).toBeGreaterThan(0);
  });

  it('by a source that fails before its first step, with its error', async () => {
    const broken = throwError(() => new Error('no such recording'));
    await expect(run(broken, { a: (s) => s.pipe(trainingLoss(), toParquet()) }, options())).rejects.toThrow('no such');
    expect(existsSync(directory)).toBe(false);
  });

  it('by a file of another in the place of a table, which is left as it was, as is the run before', async () => {
    await run(train(), { old: (s) => s.pipe(trainingLoss(), toParquet()) }, options());
    writeFileSync(join(directory, 'loss.parquet'), 'mine');
    const before = files();
    const branches = { loss: (s: Observable<Step>) => s.pipe(trainingLoss(), toParquet()) };
    await expect(run(train(), branches, options({ overwrite: true }))).rejects.toThrow('loss.parquet is there already');
    expect(files()).toEqual(before);
    expect(readFileSync(join(directory, 'loss.parquet'), 'utf8')).toBe('mine');
    expect((await readTable(join(directory, 'old.parquet'))).rows).toHaveLength(6);
  });

  it('does not cost the run before: overwrite removes it once the new one stands', async () => {
    await run(train(), { loss: (s) => s.pipe(trainingLoss(), toParquet()) }, options());
    const wrong = (s: Observable<Step>) => s.pipe(topEigenvalues({ count: 99 }), toParquet({ path: 'loss.parquet' }));
    await expect(run(train(), { wrong }, options({ overwrite: true }))).rejects.toThrow('count is 99');
    expect(files()).toEqual(['log.jsonl', 'loss.parquet', 'run.json']);
    await run(train(2), { loss: (s) => s.pipe(trainingLoss(), toParquet()) }, options({ overwrite: true }));
    expect((await readTable(join(directory, 'loss.parquet'))).rows).toHaveLength(3);
  });
});

describe('a run that begins', () => {
  it('makes a table for every branch, also one without a row, and reads it back', async () => {
    const result = await run(
      train(),
      {
        loss: (s) => s.pipe(trainingLoss(), toArrow()),
        never: (s) =>
          s.pipe(
            filter(({ index }) => index > 99),
            topEigenvalues({ count: 2 }),
            toParquet(),
          ),
        plain: (s) => s.pipe(map(({ index }) => index)),
      },
      options(),
    );
    expect(files()).toEqual(['log.jsonl', 'loss.arrows', 'never.parquet', 'run.json']);
    const loss = await result.rows('loss');
    expect(loss.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await result.rows('never')).toEqual([]);
    const { table, metadata } = await readTable(join(directory, 'never.parquet'));
    expect(table).toEqual(topEigenvalues.table);
    expect(metadata).toMatchObject({ probe: 'topEigenvalues', options: { count: 2, maxCount: 5, grow: null } });
    await expect(result.rows('plain')).rejects.toThrow('the branch plain has written no table');
    await expect(result.rows('lost' as 'loss')).rejects.toThrow(
      "there is no branch 'lost'. There are loss, never, plain",
    );
  });

  it('says in every table what measured it: probe, options, objective, source, versions and run', async () => {
    const other = regression(7);
    await run(
      train(),
      {
        own: (s) => s.pipe(trainingLoss(), toParquet()),
        on: (s) => s.pipe(trainingLoss({ on: other }), toParquet()),
        // Behind defer and merge the stream does not know its probe any more; the rows do.
        hidden: (s) => defer(() => merge(s.pipe(topEigenvalues()))).pipe(toArrow()),
      },
      options({ metadata: { purpose: 'test' } }),
    );
    const metadataOf = async (file: string) => (await readTable(join(directory, file))).metadata;
    const own = await metadataOf('own.parquet');
    const { metadata } = JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8'));
    const objective = regression().metadata;
    expect(own).toEqual({ ...metadata, probe: 'trainingLoss', options: { test: false }, objective });
    expect(own.source).toMatchObject({ optimizer: 'gradientDescent', steps: 5, objective });
    expect(await metadataOf('on.parquet')).toEqual({ ...own, objective: other.metadata });
    expect(await metadataOf('hidden.arrows')).toMatchObject({ run: own.run, probe: 'topEigenvalues', objective });
  });

  it('loses nothing of its source behind operators of RxJS', async () => {
    const steps = train(50).pipe(
      tap(() => {}),
      filter(({ index }) => index % 2 === 0),
      takeWhile(({ index }) => index < 10, true),
    );
    const { state } = await run(steps, { loss: (s) => s.pipe(trainingLoss(), toParquet()) }, options());
    expect(state).toBe('finished');
    const { rows, metadata } = await readTable(join(directory, 'loss.parquet'), trainingLoss.table);
    expect(rows.map(({ step }) => step)).toEqual([0, 2, 4, 6, 8, 10]);
    expect(metadata.source).toMatchObject({ optimizer: 'gradientDescent', steps: 50 });
  });

  it('has the same name as another with the same source, and none in common with one that says nothing', async () => {
    const idOf = async (steps: Observable<Step>, name: string) => {
      await run(steps, { a: (s) => s }, options({ directory: join(parent, name) }));
      return JSON.parse(readFileSync(join(parent, name, 'run.json'), 'utf8')).metadata.run;
    };
    const silent = () => of(openStep({ index: 0, weights: new Float32Array(1) }).step);
    const [a, b, c] = [await idOf(train(), 'a'), await idOf(train(), 'b'), await idOf(train(6), 'c')];
    const [d, e] = [await idOf(silent(), 'd'), await idOf(silent(), 'e')];
    expect(a).toBe(b);
    expect(new Set([a, c, d, e]).size).toBe(4);
  });

  it('ends only when a sink behind an operator that leaves early has its file', async () => {
    const early = (s: Observable<Step>) =>
      s.pipe(
        trainingLoss(),
        toParquet(),
        takeWhile(({ step }) => step < 2),
      );
    const summary = await run(train(), { early, other: (s) => s.pipe(trainingLoss()) }, options());
    expect(files()).toEqual(['early.parquet', 'log.jsonl', 'run.json']);
    expect((await readTable(join(directory, 'early.parquet'))).rows).toHaveLength(3);
    expect(summary).toMatchObject({ state: 'finished', branches: { early: { rows: 2 }, other: { rows: 6 } } });
  });

  it('refuses rows of two tables in one file, and rows of no known table', async () => {
    const summary = await run(
      train(),
      {
        two: (s) => merge(s.pipe(trainingLoss()), s.pipe(topEigenvalues())).pipe(toParquet()),
        unknown: (s) =>
          s.pipe(
            map(({ index }) => ({ step: index })),
            toParquet(),
          ),
        copies: (s) =>
          s.pipe(
            trainingLoss(),
            map((row) => ({ ...row })),
            toParquet(),
          ),
      },
      options(),
    );
    const { two, unknown, copies } = summary.branches;
    expect(two.error?.message).toMatch(/a row of the table 'eigenvalues' came behind rows of 'loss'|of 'eigenvalues'/);
    expect(unknown.error?.message).toContain('the table of the rows is not known: no probe stands in front');
    // A copy of a row is a row of the same stream, whose table is known.
    expect(copies).toMatchObject({ rows: 6 });
    expect(copies?.error).toBeUndefined();
  });

  it('takes rows of your own with a table of your own', async () => {
    const table = defineTable({
      name: 'indices',
      description: 'The index.',
      key: ['step'],
      columns: { step: int32({ symbol: 't', description: 'The step.' }) },
    });
    const own = (s: Observable<Step>) =>
      s.pipe(
        map(({ index }) => ({ step: index })),
        toParquet(table),
      );
    const result = await run(train(), { own }, options());
    expect(await result.rows('own')).toHaveLength(6);
    expect((await readTable(join(directory, 'own.parquet'))).metadata).toMatchObject({ source: { steps: 5 } });
  });

  it('takes a folder with a space, a number sign and an umlaut, also behind a link', async () => {
    const odd = join(parent, 'a b#ü%20');
    mkdirSync(odd);
    const result = await run(
      train(),
      { loss: (s) => s.pipe(trainingLoss(), toParquet()) },
      options({ directory: join(odd, 'run') }),
    );
    expect(await result.rows('loss')).toHaveLength(6);
  });
});

it('a source that emits copies of steps is told so', async () => {
  const copies = train().pipe(map((step) => ({ ...step }) as Step));
  await expect(run(copies, { a: (s) => s }, options())).rejects.toThrow(
    "run: step 0 is a copy, which has a step's data and no longer its run.",
  );
  const late = from([openStep({ index: 0, weights: new Float32Array(1) }).step, { index: 1 } as Step]);
  const summary = await run(late, { a: (s) => s }, options());
  expect(summary).toMatchObject({ state: 'failed', steps: 1 });
  expect(summary.error?.message).toContain('run: a value of type object came where a step was expected');
});
