import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { take, tap } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Step } from '../../src/core/Step.ts';
import { generator } from '../../src/linalg/random.ts';
import { untilPassed } from '../../src/operators/untilPassed.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { record } from '../../src/recording/record.ts';
import { replay } from '../../src/recording/replay.ts';
import { resume } from '../../src/recording/resume.ts';
import type { Branches } from '../../src/runs/branches.ts';
import { recover } from '../../src/runs/recover.ts';
import { run } from '../../src/runs/run.ts';
import { readEvents } from '../../src/tables/readEvents.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { toArrow } from '../../src/tables/toArrow.ts';
import { toCsv } from '../../src/tables/toCsv.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { toTensorBoard } from '../../src/tables/toTensorBoard.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { everything } from '../helpers/everything.ts';
import { branches, objective, source } from './gapProcess.ts';
import { collect, held } from './plain.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-gap-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const PROGRAM = join(import.meta.dirname, 'gapProcess.ts');
const random = generator(5);
const TABLES = ['loss.parquet', 'concentration.parquet', 'within/change.arrows', 'both.parquet', 'rare.parquet'];
const TEXTS = ['csv/both.csv', 'text.csv'];
const EVENTS = 'tensorboard/both/events.out.tfevents.brink';

/** Starts a process, and kills it some milliseconds after its first step. */
async function killed(milliseconds: number, ...args: string[]): Promise<void> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = new Promise((resolve) => child.on('close', resolve));
  await Promise.race([new Promise((resolve) => child.stdout.once('data', resolve)), gone]);
  await wait(milliseconds);
  child.kill('SIGKILL');
  await gone;
}

/** A value by its bytes, which tell apart what equality does not. */
const bytesOf = (value: unknown) =>
  typeof value === 'number' ? Buffer.from(Float64Array.of(value).buffer).toString('hex') : value;

/** Each row of a table, number by number to the bit. */
const rowsOf = async (directory: string, table: string) => {
  const path = join(folder, directory, table);
  if (!existsSync(path)) return [];
  const { rows } = await readTable(path);
  return rows.map((row) => ({
    step: row.step,
    // Sums over a run begin anew where it is resumed, and say where.
    cells: Object.entries(row)
      .filter(([name]) => !name.startsWith('running_'))
      .map(([name, value]) => [name, bytesOf(value)]),
  }));
};
/** The lines of a table of text, without those of sums that begin anew. */
const linesOf = (directory: string, table: string) => {
  const path = join(folder, directory, table);
  if (!existsSync(path)) return [];
  const [names, ...lines] = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));
  return lines.map((cells) => cells.filter((_, k) => !names![k]!.startsWith('running_')));
};
/** The step and the tags of each event. */
const eventsOf = (directory: string) => {
  const path = join(folder, directory, EVENTS);
  return existsSync(path) ? [...readEvents('test', path)] : [];
};
const resumed = (directory: string) => JSON.parse(readFileSync(join(folder, directory, 'run.json'), 'utf8')).resumed;

describe('a branch that ended before its run was killed', () => {
  /** What a kill leaves of a run behind step 12: a copy of its folder while it waits there. */
  async function cutOff(): Promise<string> {
    const cut = join(folder, 'cut');
    const gate = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const held = tap((step: Step) => {
      if (step.index !== 12) return;
      step.waitUntil(gate.promise);
      reached.resolve();
    });
    const ended = run(short(), { ...some(5), held: (s) => s.pipe(held) }, options('whole'));
    await reached.promise;
    await vi.waitUntil(() => Object.keys(recordOf('whole').ended ?? {}).length === 4, 30_000);
    cpSync(join(folder, 'whole'), cut, { recursive: true });
    gate.resolve();
    await ended;
    return cut;
  }
  const short = () => gradientDescent(objective, { seed: 4, steps: 20, learningRate: 0.01 });
  const options = (name: string) => ({ directory: join(folder, name), progress: false });
  const recordOf = (name: string) => JSON.parse(readFileSync(join(folder, name, 'run.json'), 'utf8'));
  const some = (failsAt: number): Branches => ({
    loss: (s) => s.pipe(trainingLoss(), toParquet()),
    fails: (s) =>
      s.pipe(
        trainingLoss(),
        tap(({ step }) => {
          if (step === failsAt) throw new Error('on purpose');
        }),
        toParquet(),
      ),
    passed: (s) =>
      s.pipe(
        untilPassed(trainingLoss(), ({ step }) => step >= 3, { more: 2 }),
        trainingLoss(),
        toArrow(),
      ),
    ten: (s) => s.pipe(take(10), trainingLoss(), toTensorBoard(), toCsv()),
    recording: (s) => s.pipe(record()),
  });
  const stepsOf = async (name: string, table: string) => (await rowsOf(name, table)).map(({ step }) => step);
  const upTo = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, k) => first + k);

  it('has no more rows where it ended by itself, and all where it had failed', async () => {
    const exitCode = process.exitCode;
    const path = join(await cutOff(), 'recording.arrows');
    expect(recordOf('whole').ended).toEqual({
      fails: 'on purpose',
      passed: null,
      'tensorboard/ten/events.out.tfevents': null,
      ten: null,
    });
    const { state } = await run(resume(path, { objective }), some(-1), options('second'));
    expect(state).toBe('finished');
    await recover(folder);
    expect(await stepsOf('second', 'fails.parquet')).toEqual(upTo(5, 20));
    expect((await stepsOf('cut', 'loss.parquet')).concat(await stepsOf('second', 'loss.parquet'))).toEqual(upTo(0, 20));
    expect(await stepsOf('cut', 'passed.arrows')).toEqual(upTo(0, 5));
    expect(await stepsOf('second', 'passed.arrows')).toEqual([]);
    expect(linesOf('cut', 'ten.csv')).toHaveLength(10);
    expect(linesOf('second', 'ten.csv')).toEqual([]);
    expect(recordOf('second').resumed.note).toMatch(/at 5 \(passed, which was over\)/);
    // And so in a third.
    await run(resume(path, { objective, steps: 22 }), some(-1), options('third'));
    expect(await stepsOf('third', 'fails.parquet')).toEqual([21, 22]);
    expect(await stepsOf('third', 'passed.arrows')).toEqual([]);
    process.exitCode = exitCode;
  }, 120_000);
});

describe('a run that is killed twice and resumed each time', () => {
  it.each([['recovered before', 1], ...(everything ? ([['recovered after', 7]] as const) : [])] as const)(
    'has each row once over its tables, %s it is resumed, with every step of %i recorded',
    async (when, every) => {
      const path = join(folder, 'first', 'recording.arrows');
      await run(source(), branches(every), { directory: join(folder, 'whole'), progress: false });
      const finish = async () => {
        for (const { problem } of await recover(folder)) expect(problem).toBeNull();
      };
      await killed(uniformInt(random, 100, 300), join(folder, 'first'), `${every}`);
      if (when === 'recovered before') await finish();
      await killed(uniformInt(random, 100, 300), join(folder, 'second'), `${every}`, path);
      if (when === 'recovered before') await finish();
      const last = held(path).indices.at(-1)!;
      expect(last).toBeLessThan(700);
      const { state } = await run(resume(path, { objective }), branches(every), {
        directory: join(folder, 'third'),
        progress: false,
      });
      expect(state).toBe('finished');
      await finish();
      for (const table of TABLES) {
        const pieces = await Promise.all(['first', 'second', 'third'].map((name) => rowsOf(name, table)));
        const whole = await rowsOf('whole', table);
        expect(pieces.flat().map(({ step }) => step)).toEqual(whole.map(({ step }) => step));
        expect(pieces.flat()).toEqual(whole);
      }
      const runs = ['first', 'second', 'third'];
      for (const table of TEXTS) {
        const whole = linesOf('whole', table);
        expect(whole.length).toBeGreaterThan(100);
        expect(runs.flatMap((name) => linesOf(name, table))).toEqual(whole);
      }
      expect(eventsOf('whole').length).toBeGreaterThan(100);
      expect(runs.flatMap(eventsOf)).toEqual(eventsOf('whole'));
      expect(await collect(replay(path, { objective }))).toEqual(
        await collect(replay(join(folder, 'whole', 'recording.arrows'), { objective })),
      );
      const { recording, step, tables, note } = resumed('third');
      expect([recording, step % every]).toEqual(['../first/recording.arrows', 0]);
      expect(step).toBeLessThanOrEqual(Math.min(last, ...(Object.values(tables) as number[])));
      expect(note).toContain(`at ${tables.loss} (loss)`);
      expect(note).toContain(`from step ${step} of the recording`);
    },
    120_000,
  );
});
