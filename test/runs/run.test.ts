import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import {
  defer,
  EMPTY,
  finalize,
  firstValueFrom,
  from,
  groupBy,
  type MonoTypeOperatorFunction,
  map,
  mergeMap,
  Observable,
  take,
  tap,
} from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DivergedError } from '../../src/core/errors.ts';
import { branchOf } from '../../src/core/origin.ts';
import type { RunBranch } from '../../src/core/Step.ts';
import { openStep, type Step } from '../../src/core/Step.ts';
import { toy } from '../../src/objectives/quadratic.ts';
import { measureAlong } from '../../src/operators/measure.ts';
import { near } from '../../src/operators/near.ts';
import { throttleSteps } from '../../src/operators/throttleSteps.ts';
import { hessianTrace } from '../../src/probes/hessianTrace.ts';
import { topEigenvalues } from '../../src/probes/topEigenvalues.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { type RunOptions, run } from '../../src/runs/run.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';
import { stepAt } from '../helpers/stepAt.ts';
import { watchPasses } from '../helpers/watchPasses.ts';

let parent: string;
let directory: string;
let printed: string;
const exitCode = process.exitCode;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'brink-run-'));
  directory = join(parent, 'a', 'run');
  printed = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    printed += text;
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = exitCode;
  rmSync(parent, { recursive: true, force: true });
});

const options = (more: RunOptions = {}): RunOptions => ({ directory, progress: false, ...more });
const record = () => JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8'));
const logged = () =>
  readFileSync(join(directory, 'log.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const metadataOf = async (steps: Observable<Step>) => (await firstValueFrom(steps)).run.metadata;
const train = (steps = 5) => gradientDescent(regression(), { learningRate: 0.1, steps });

/** A sink as the real ones are: it takes its file before the run begins, and finishes it before it lets an end pass. */
function toLines<T>(name: string): MonoTypeOperatorFunction<T> {
  return (rows) =>
    defer(() => {
      const { directory, claim } = branchOf(rows)!;
      const path = join(directory, name);
      claim('toLines', path);
      let text = '';
      return rows.pipe(
        tap((row) => {
          text += `${JSON.stringify(row)}\n`;
        }),
        finalize(() => writeFileSync(path, text)),
      );
    });
}
const lines = (name: string) =>
  readFileSync(join(directory, name), 'utf8')
    .trim()
    .split('\n')
    .map((l) => JSON.parse(l));

describe('run', () => {
  it('subscribes to the source once, and gives every branch every step', async () => {
    const objective = regression();
    const steps = gradientDescent(objective, { learningRate: 0.1, steps: 9 });
    let subscriptions = 0;
    const counted = defer(() => {
      subscriptions++;
      return steps;
    });
    const seen: Record<string, number[]> = { a: [], b: [], c: [] };
    const branch = (name: string) => (s: Observable<Step>) => s.pipe(tap((step) => seen[name]!.push(step.index)));
    const summary = await run(
      counted,
      {
        a: branch('a'),
        b: branch('b'),
        c: (s) => s.pipe(throttleSteps(4), branch('c')),
        loss: (s) => s.pipe(trainingLoss()),
      },
      options(),
    );
    expect(subscriptions).toBe(1);
    const every = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    expect(seen).toEqual({ a: every, b: every, c: [0, 4, 8] });
    expect(summary).toMatchObject({
      state: 'finished',
      directory,
      steps: 10,
      branches: { a: { rows: 10 }, b: { rows: 10 }, c: { rows: 3 }, loss: { rows: 10 } },
    });
    expect(summary.seconds).toBeGreaterThan(0);
    expect(summary.error).toBeUndefined();
    expect(objective.cost.gradients).toBe(10);
    expect(process.exitCode).toBe(exitCode);
    expect(printed).toBe('');
  });

  it('writes what the run was, and how it ended, into run.json and the log', async () => {
    const steps = train();
    let during: unknown;
    await run(
      steps,
      {
        loss: (s) =>
          s.pipe(
            tap(() => (during = record())),
            toLines('rows.jsonl'),
          ),
      },
      options({ metadata: { preset: 'laptop' } }),
    );
    const metadata = {
      brink: expect.stringMatching(/^\d+\.\d+\.\d+/),
      node: process.version,
      platform: `${process.platform}-${process.arch}`,
      run: expect.stringMatching(/^[0-9a-f]{12}$/),
      source: await metadataOf(steps),
      user: { preset: 'laptop' },
    };
    const started = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);
    const files = ['log.jsonl', 'rows.jsonl'];
    const own = { host: hostname(), pid: process.pid };
    const heartbeat = started;
    const running = { state: 'running', metadata, started, finished: null, process: own, heartbeat, step: null, files };
    expect(during).toEqual(running);
    expect(record()).toEqual({
      state: 'finished',
      metadata,
      started,
      finished: started,
      process: own,
      heartbeat,
      step: 5,
      files,
      steps: 6,
      seconds: expect.any(Number),
      branches: { loss: { rows: 6, seconds: 0, cost: { forwards: 0, gradients: 0, products: 0 }, error: null } },
      error: null,
    });
    expect(logged()).toMatchObject([
      { msg: 'started', branches: ['loss'], metadata: { source: metadata.source } },
      { msg: 'finished', steps: 6 },
    ]);
    expect(readdirSync(directory).sort()).toEqual(['log.jsonl', 'rows.jsonl', 'run.json']);
  });

  it('tells steps and streams the branch, its folder and the metadata, also those subscribed to as a step arrives', async () => {
    const found: (RunBranch | null | undefined)[] = [];
    const note = (rows: Observable<Step>) =>
      defer(() => {
        found.push(branchOf(rows));
        return rows.pipe(
          tap(({ index, run }) => {
            if (index === 0) found.push(run.branch);
          }),
        );
      });
    await run(
      train(),
      {
        early: (s) => s.pipe(throttleSteps(1), note),
        late: (s) =>
          s.pipe(
            groupBy((step) => step.index % 2),
            mergeMap((group) => group.pipe(note)),
          ),
      },
      options({ metadata: { preset: 'laptop' } }),
    );
    // The chain is broken behind groupBy: there the steps alone know.
    expect(found.map((branch) => branch?.name)).toEqual(['early', 'early', undefined, 'late', undefined]);
    for (const branch of found) {
      if (branch) expect(branch).toMatchObject({ directory, metadata: { user: { preset: 'laptop' } } });
    }
  });

  it('keeps the other branches when one fails, and says so in the summary, run.json, the log and the exit code', async () => {
    const objective = regression();
    const steps = gradientDescent(objective, { learningRate: 0.1, steps: 5 });
    let passes = 0;
    const failing = watchPasses(regression(), () => {
      passes++;
      if (passes === 3) throw new Error('out of device memory');
    });
    const summary = await run(
      steps,
      {
        good: (s) => s.pipe(trainingLoss(), toLines('good.jsonl')),
        bad: (s) => s.pipe(trainingLoss({ on: failing }), toLines('bad.jsonl')),
        thrower: (s) =>
          s.pipe(
            map(() => {
              throw 'a string';
            }),
          ),
      },
      options(),
    );
    expect(summary).toMatchObject({ state: 'failed', steps: 6, branches: { good: { rows: 6 }, bad: { rows: 2 } } });
    expect(summary.error).toBeUndefined();
    expect(summary.branches.good!.error).toBeUndefined();
    expect(summary.branches.bad!.error!.message).toMatch(/step 2 .*out of device memory/);
    expect(summary.branches.thrower!.error).toEqual(new Error('a string'));
    expect(lines('good.jsonl')).toHaveLength(6);
    expect(lines('bad.jsonl')).toHaveLength(2);
    expect(process.exitCode).toBe(1);
    expect(record()).toMatchObject({
      state: 'failed',
      branches: { good: { rows: 6, error: null }, bad: { rows: 2, error: expect.stringContaining('step 2') } },
    });
    expect(logged().filter(({ msg }) => msg === 'a branch failed')).toMatchObject([
      { branch: 'thrower', err: { message: 'a string' } },
      { branch: 'bad', steps: 3, err: { stack: expect.stringContaining('out of device memory') } },
    ]);
    expect(printed).toMatch(/branch bad: trainingLoss: step 2/);
  });

  it('says what the measurements of each branch cost, in passes and in time', async () => {
    const objective = watchPasses(regression(), () => new Promise((resolve) => setTimeout(resolve, 2)));
    const steps = gradientDescent(objective, { learningRate: 0.05, steps: 4, batchSize: 3, seed: 1 });
    const { branches, seconds } = await run(
      steps,
      {
        loss: (s) => s.pipe(trainingLoss()),
        // The same search as the next one: who is first pays.
        first: (s) => s.pipe(topEigenvalues({ count: 2 })),
        second: (s) => s.pipe(topEigenvalues({ count: 2 })),
        seldom: (s) =>
          s.pipe(
            near(trainingLoss(), ({ step }) => step === 2),
            hessianTrace({ draws: 4, deflate: 0 }),
          ),
        none: (s) => s.pipe(map(({ index }) => index)),
      },
      options(),
    );
    const { products } = objective.cost;
    expect(branches.loss.cost).toEqual({ forwards: 5, gradients: 0, products: 0 });
    // A search begins at the gradient.
    expect(branches.first.cost).toEqual({ forwards: 0, gradients: 5, products: products - 4 });
    expect(branches.second.cost).toEqual({ forwards: 0, gradients: 0, products: 0 });
    expect(branches.seldom.cost).toEqual({ forwards: 0, gradients: 0, products: 4 });
    expect(branches.none).toMatchObject({ seconds: 0, cost: { forwards: 0, gradients: 0, products: 0 } });
    const all = Object.values(branches).map((branch) => branch.seconds);
    expect(branches.first.seconds).toBeGreaterThan(((products - 4) * 2 * 0.9) / 1000);
    expect(branches.second.seconds).toBeLessThan(branches.first.seconds / 4);
    expect(all.reduce((sum, x) => sum + x)).toBeLessThan(seconds);
    expect(record().branches.first).toEqual({ ...branches.first, error: null });
  });

  it('finishes the tables when training diverges, which is a state and no error of a branch', async () => {
    const steps = gradientDescent(toy(), { learningRate: 1, steps: 1000 });
    const summary = await run(steps, { loss: (s) => s.pipe(trainingLoss(), toLines('loss.jsonl')) }, options());
    expect(summary.state).toBe('diverged');
    expect(summary.error).toBeInstanceOf(DivergedError);
    const { step } = summary.error as DivergedError;
    expect(summary.branches).toMatchObject({ loss: { rows: step } });
    expect(summary.branches.loss!.error).toBeUndefined();
    expect(lines('loss.jsonl').map((row) => row.step)).toEqual(Array.from({ length: step }, (_, t) => t));
    expect(process.exitCode).toBe(1);
    expect(record()).toMatchObject({ state: 'diverged', steps: step, error: summary.error!.message });
    expect(logged().map(({ msg }) => msg)).toEqual(['started', 'the source failed', 'diverged']);
    expect(printed).toContain(summary.error!.message);
  });

  it('is failed when the source throws anything else, be it no Error', async () => {
    const broken = new Observable<Step>((subscriber) => {
      subscriber.next(stepAt(new Float32Array(1)));
      subscriber.error('the disk is gone');
    });
    const summary = await run(broken, { a: (s) => s }, options());
    expect(summary).toMatchObject({ state: 'failed', steps: 1, branches: { a: { rows: 1 } } });
    expect(summary.error!.message).toBe('the disk is gone');
    expect(summary.branches.a!.error).toBeUndefined();
  });

  it('is not held by a branch that leaves early, and lets go of the source once all have', async () => {
    const objective = regression();
    let isReleased = false;
    const steps = gradientDescent(objective, { learningRate: 0.1, steps: 1000 }).pipe(
      finalize(() => {
        isReleased = true;
      }),
    );
    const summary = await run(
      steps,
      {
        three: (s) => s.pipe(trainingLoss(), take(3)),
        seven: (s) => s.pipe(trainingLoss(), take(7)),
        none: () => EMPTY,
      },
      options(),
    );
    expect(summary).toMatchObject({
      state: 'finished',
      steps: 7,
      branches: { three: { rows: 3 }, seven: { rows: 7 }, none: { rows: 0 } },
    });
    expect(isReleased).toBe(true);
    for (let k = 0; k < 10; k++) await setImmediate();
    expect(objective.cost.gradients).toBe(7);
  });

  it('holds the source for the slowest branch', async () => {
    const objective = regression();
    const slow = watchPasses(regression(), () => setImmediate());
    let newest = -1;
    await run(
      gradientDescent(objective, { learningRate: 0.1, steps: 5 }),
      {
        fast: (s) => s.pipe(tap((step) => (newest = step.index))),
        slow: (s) =>
          s.pipe(
            trainingLoss({ on: slow }),
            tap((row) => expect(row.step).toBe(newest)),
          ),
      },
      options(),
    );
    expect(newest).toBe(5);
  });

  it('measures the step at hand and finishes the tables when its signal is aborted', async () => {
    const objective = regression();
    const abort = new AbortController();
    const measured = watchPasses(regression(), async () => {
      if (newest?.index === 3) abort.abort();
      await setImmediate();
    });
    let newest: Step | undefined;
    const steps = gradientDescent(objective, { learningRate: 0.1, steps: 1000 }).pipe(tap((step) => (newest = step)));
    const summary = await run(
      steps,
      { loss: (s) => s.pipe(trainingLoss({ on: measured }), toLines('loss.jsonl')) },
      options({ signal: abort.signal }),
    );
    expect(summary).toMatchObject({ state: 'stopped', steps: 4, branches: { loss: { rows: 4 } } });
    expect(lines('loss.jsonl').map((row) => row.step)).toEqual([0, 1, 2, 3]);
    expect(record()).toMatchObject({ state: 'stopped', steps: 4 });
    expect(process.exitCode).toBe(exitCode);
    for (let k = 0; k < 10; k++) await setImmediate();
    expect(objective.cost.gradients).toBe(4);
  });

  it('takes no step when its signal is aborted beforehand', async () => {
    const summary = await run(train(), { a: (s) => s }, options({ signal: AbortSignal.abort() }));
    expect(summary).toMatchObject({ state: 'stopped', steps: 0, branches: { a: { rows: 0 } } });
  });

  it('takes a source that emits at once, and one of your own', async () => {
    const steps = [0, 1, 2].map((index) => openStep(stepAt(new Float32Array(1), { index })).step);
    expect(await run(from(steps), { a: (s) => s }, options())).toMatchObject({
      steps: 3,
      branches: { a: { rows: 3 } },
    });
    expect(record().metadata.source).toBeNull();
  });

  it('refuses to begin without a branch, and lets a mistake within a branch through before it makes the folder', async () => {
    await expect(run(train(), {}, options())).rejects.toThrow('run: there is no branch');
    await expect(run(train(), { a: (s) => s.pipe(throttleSteps(0)) }, options())).rejects.toThrow('every is 0');
    expect(existsSync(directory)).toBe(false);
  });
});

describe('a program of its own', () => {
  /** Plain Node, as a pipeline is run: no bundler between. */
  const program = (learningRate: number) => `
    import { toy } from './src/objectives/quadratic.ts';
    import { run } from './src/runs/run.ts';
    import { trainingLoss } from './src/probes/trainingLoss.ts';
    import { toArrow } from './src/tables/toArrow.ts';
    import { gradientDescent } from './src/training/gradientDescent.ts';
    const steps = gradientDescent(toy(), { learningRate: ${learningRate}, steps: 100 });
    const summary = await run(steps, { loss: (s) => s.pipe(trainingLoss(), toArrow()) }, { directory: ${JSON.stringify(directory)} });
    console.log(summary.state);
  `;

  it.each([
    [0.01, 'finished', 0, /^finished: 101 steps in /],
    [1, 'diverged', 1, /^diverged: \d+ steps in .*\ngradientDescent: .* at step \d+/],
  ])('at learning rate %d is %s and exits with %d', (learningRate, state, status, says) => {
    const root = new URL('../..', import.meta.url);
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', program(learningRate)], {
      cwd: root,
      encoding: 'utf8',
    });
    expect([child.status, child.stdout]).toEqual([status, `${state}\n`]);
    expect(child.stderr).toMatch(says);
  });
});

describe('restartEvery', () => {
  it('begins what is carried from step to step afresh at its multiples, whether or not they are measured', async () => {
    const seen: string[] = [];
    let lives = 0;
    const carrying = measureAlong(() => {
      const life = ++lives;
      return async (_, { index }) => {
        seen.push(`${life}:${index}`);
        return { index };
      };
    });
    const branches = { a: (s: Observable<Step>) => s.pipe(throttleSteps(3), carrying) };
    await run(train(10), branches, options({ restartEvery: 4 }));
    expect(seen).toEqual(['1:0', '1:3', '2:6', '3:9']);
    await run(train(10), branches, options({ overwrite: true }));
    expect(seen.slice(4)).toEqual(['4:0', '4:3', '4:6', '4:9']);
    await expect(run(train(), branches, options({ restartEvery: 0, overwrite: true }))).rejects.toThrow(
      'restartEvery is 0',
    );
  });
});

describe("the run's folder", () => {
  it('is refused when it holds a run, and that run is left as it was', async () => {
    await run(train(), { a: (s) => s }, options());
    const before = record();
    await expect(run(train(), { a: (s) => s }, options())).rejects.toThrow(
      `run: ${directory} already holds a run (run.json). Its results would be lost; name another directory, or pass overwrite: true.`,
    );
    expect(record()).toEqual(before);
  });

  it('goes to one of two runs that begin at once', async () => {
    const both = await Promise.allSettled([1, 2].map(() => run(train(), { a: (s) => s }, options())));
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('loses the files of the run before, and no other, when overwrite is asked for', async () => {
    await run(train(), { a: (s) => s.pipe(toLines('old.jsonl')) }, options());
    writeFileSync(join(directory, 'notes.md'), 'mine');
    await run(train(2), { a: (s) => s.pipe(toLines('new.jsonl')) }, options({ overwrite: true }));
    expect(readdirSync(directory).sort()).toEqual(['log.jsonl', 'new.jsonl', 'notes.md', 'run.json']);
    expect(record()).toMatchObject({ steps: 3, files: ['log.jsonl', 'new.jsonl'] });
    expect(logged()).toHaveLength(2);
  });

  it('may be empty, new, or hold files but no run, whether or not overwrite is asked for', async () => {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'notes.md'), 'mine');
    await run(train(), { a: (s) => s }, options({ overwrite: true }));
    expect(readFileSync(join(directory, 'notes.md'), 'utf8')).toBe('mine');
  });

  it('is not cleared on the word of a record that is none, or that points elsewhere', async () => {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(parent, 'outside'), 'mine');
    for (const text of ['{"state": "runn', '{}', '{"files": ["../../outside"]}', '{"files": ["."]}']) {
      writeFileSync(join(directory, 'run.json'), text);
      await expect(run(train(), { a: (s) => s }, options({ overwrite: true }))).rejects.toThrow('by hand');
      expect(readFileSync(join(directory, 'run.json'), 'utf8')).toBe(text);
    }
    expect(existsSync(join(parent, 'outside'))).toBe(true);
  });
});

describe('progress', () => {
  const isTTY = process.stderr.isTTY;
  const setTerminal = (is: boolean) =>
    Object.defineProperty(process.stderr, 'isTTY', { value: is, configurable: true });
  afterEach(() => setTerminal(isTTY));

  it('is plain lines where standard error is no terminal, far apart, with the time left', async () => {
    setTerminal(false);
    let time = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => time);
    const steps = train(60).pipe(tap(() => (time += 1000)));
    await run(steps, { a: (s) => s }, { directory });
    const shown = printed.trim().split('\n');
    expect(shown).toHaveLength(13);
    expect(shown[0]).toMatch(/^step 4 of 60 \| loss \d\.\d+ \| \d+[ms]/);
    expect(shown.at(-1)).toBe(`finished: 61 steps in 61.0 s, in ${directory}`);
  });

  it('is a bar on a terminal', async () => {
    setTerminal(true);
    await run(train(), { a: (s) => s }, { directory });
    expect(printed).toMatch(/step 5 of 5 \| loss \d/);
  });
});
