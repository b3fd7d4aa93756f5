import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { firstValueFrom, lastValueFrom, map, type Observable, skip, take, takeWhile, tap, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStep, type Step } from '../../src/core/Step.ts';
import { generator } from '../../src/linalg/random.ts';
import { throttleSteps } from '../../src/operators/throttleSteps.ts';
import { fork } from '../../src/recording/fork.ts';
import { record } from '../../src/recording/record.ts';
import { replay } from '../../src/recording/replay.ts';
import { resume } from '../../src/recording/resume.ts';
import { recover } from '../../src/runs/recover.ts';
import { run } from '../../src/runs/run.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import type { Schedule } from '../../src/training/schedule.ts';
import { everything } from '../helpers/everything.ts';
import { regression } from '../helpers/regression.ts';
import { collect, held, plain } from './plain.ts';
import { branches, KINDS, type Kind, objective, source } from './recordingProcess.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-resume-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** How many processes are killed. */
const KILLS = Number(process.env.BRINK_KILLS ?? (everything ? 6 : 2));
const PROGRAM = join(import.meta.dirname, 'recordingProcess.ts');
const random = generator(11);

/**
 * Starts a process, and kills it some milliseconds after its first new step; returns the last step that it spoke of.
 */
async function killed(milliseconds: number, ...args: string[]): Promise<number> {
  const child: ChildProcess = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  await new Promise<void>((resolve) => {
    child.stdout!.on('data', (bytes) => {
      said += bytes;
      if (said.includes('\n')) resolve();
    });
    child.on('exit', () => resolve());
  });
  await wait(milliseconds);
  if (child.exitCode === null) {
    const gone = new Promise((resolve) => child.on('close', resolve));
    child.kill('SIGKILL');
    await gone;
  }
  return Number(said.split('\n').at(-2));
}

const lossOf = async (directory: string) => (await readTable(join(folder, directory, 'loss.parquet'))).rows;

describe('a run that is killed twice and resumed each time', () => {
  const kinds = Object.keys(KINDS) as Kind[];
  const rounds = Array.from({ length: Math.ceil(KILLS / 2) }, (_, k) => [k, kinds[(k + 1) % kinds.length]!] as const);

  it.each(rounds)(
    'has the weights and tables of one that was not (round %i, %s)',
    async (_, kind) => {
      const path = join(folder, 'whole', 'recording.arrows');
      await run(source(kind), branches, { directory: join(folder, 'whole'), progress: false });
      const cut = join(folder, 'first', 'recording.arrows');
      const told = await killed(uniformInt(random, 0, 350), kind, join(folder, 'first'));
      expect(held(cut).indices.at(-1)).toBeGreaterThanOrEqual(told);
      const again = await killed(uniformInt(random, 0, 350), kind, join(folder, 'second'), cut);
      const { indices } = held(cut);
      expect(indices.at(-1)).toBeGreaterThanOrEqual(again);
      expect(indices).toEqual(indices.map((__, t) => t));

      // From the step behind the last row that the first process saved: together its table and the new one are whole.
      for (const { problem } of await recover(folder)) expect(problem).toBeNull();
      const first = await lossOf('first');
      const whole = await lossOf('whole');
      expect(first).toEqual(whole.slice(0, first.length));
      // A process that was faster than its end has saved them all.
      const missing = Math.min(first.length, whole.length - 1);
      const rest = resume(cut, { step: missing, objective });
      await run(rest, branches, { directory: join(folder, 'third'), progress: false });
      expect([...first.slice(0, missing), ...(await lossOf('third'))]).toEqual(whole);
      expect(await collect(replay(cut, { objective }))).toEqual(await collect(replay(path, { objective })));

      // And from the first step: the tables are whole, byte by byte.
      await run(resume(cut, { step: 0, objective }), branches, { directory: join(folder, 'all'), progress: false });
      expect(
        readFileSync(join(folder, 'all', 'loss.parquet')).equals(readFileSync(join(folder, 'whole', 'loss.parquet'))),
      ).toBe(true);
      expect(readFileSync(cut).subarray(-2000).equals(readFileSync(path).subarray(-2000))).toBe(true);
    },
    120_000,
  );
});

const options = { learningRate: 0.05, steps: 12, batchSize: 5, beta1: 0.4, beta2: 0.3, seed: 2 };
const L = regression();
const train = (more: object = {}) => gradientDescent(L, { ...options, ...more });
const metadataOf = async (steps: Observable<Step>) => JSON.stringify((await firstValueFrom(steps)).run.metadata);
let path: string;

describe('resume', () => {
  beforeEach(async () => {
    path = join(folder, 'recording.arrows');
    await collect(train().pipe(record(path), take(8)));
  });

  it('goes on from the last recorded step, or from any, with the same bits', async () => {
    const whole = await collect(train());
    const resumed = await lastValueFrom(resume(path, { objective: L }).pipe(toArray()));
    expect(resumed.map(plain)).toEqual(whole.slice(7));
    for (const { run } of resumed) expect(run).toBe(resumed[0]!.run);
    expect(resumed[0]!.run).toMatchObject({ total: 6, last: 12, reads: [path] });
    expect(resumed[0]!.run.resumes).toMatchObject({ recording: path, tables: [] });
    expect(await metadataOf(resume(path))).toBe(await metadataOf(train()));
    expect(await collect(resume(path, { objective: L, step: 3 }))).toEqual(whole.slice(3));
    const longer = (await collect(train({ steps: 20 }))).slice(7);
    expect(await collect(resume(path, { objective: L, steps: 20 }))).toEqual(longer);
  });

  it('goes on beyond the length that was planned, again and again, with the rates of a schedule', async () => {
    const schedules: Schedule[] = [
      { schedule: 'steps', rate: 0.1, at: [3, 8, 10], factor: 0.5 },
      { schedule: 'constant', rate: 0.1, warmup: 11 },
      { schedule: 'cosine', rate: 0.1, over: 12 },
    ];
    for (const learningRate of schedules) {
      const whole = await collect(train({ learningRate }));
      await collect(train({ learningRate, steps: 5 }).pipe(record(path, { overwrite: true })));
      const longer = () => resume(path, { objective: L, steps: 12 }).pipe(record());
      expect(await collect(longer().pipe(take(4)))).toEqual(whole.slice(5, 9));
      expect(await collect(longer())).toEqual(whole.slice(8));
      expect(await collect(replay(path))).toEqual(whole);
      expect(await collect(fork(path, { objective: L, step: 9, steps: 3 }))).toEqual(whole.slice(9));
    }
  });

  it('takes the objective from the recording where none is given', async () => {
    const steps = await lastValueFrom(resume(path).pipe(toArray()));
    expect(steps.map(plain)).toEqual((await collect(train())).slice(7));
    expect(steps[0]!.run.objective!.metadata).toEqual(L.metadata);
    expect(steps[0]!.run.objective).not.toBe(L);
  });

  it('looks at `until` on the steps on which the whole run does, as recorded or as given', async () => {
    const until = { loss: 0.345 };
    const whole = await collect(train({ until, steps: 200 }));
    expect(whole.length).toBeLessThan(200);
    await collect(train({ until, steps: 200 }).pipe(record(path, { overwrite: true }), take(9)));
    expect(await collect(resume(path))).toEqual(whole.slice(8));
    await collect(train({ steps: 200 }).pipe(record(path, { overwrite: true }), take(9)));
    expect(await collect(resume(path, { until }))).toEqual(whole.slice(8));
    await expect(collect(resume(path, { until: null as never }))).rejects.toThrow('(until): the argument is null.');
  });

  it('goes on with the recording by itself, and gives the file that the whole run gives', async () => {
    const other = join(folder, 'whole.arrows');
    const whole = await collect(train().pipe(record(other)));
    for (const name of [undefined, path]) {
      await collect(train().pipe(record(path, { overwrite: true }), take(8)));
      appendFileSync(path, 'torn');
      await collect(resume(path, { step: 5 }).pipe(record(name)));
      expect(readFileSync(path).equals(readFileSync(other))).toBe(true);
      expect(await collect(replay(path))).toEqual(whole);
    }
  });

  it('of a thinned recording goes on in its grid', async () => {
    const whole = await collect(train());
    await collect(train().pipe(record(path, { every: 3, overwrite: true }), take(6)));
    const resumed = await collect(resume(path).pipe(record()));
    expect(resumed).toEqual(whole.slice(3));
    expect(held(path).indices).toEqual([0, 3, 6, 9, 12]);
  });

  it.each([2, 8])('of a recording behind a throttle goes on behind it, cut off after %i steps', async (count) => {
    await collect(train().pipe(take(count), throttleSteps(4), record(path, { overwrite: true })));
    const branches = { steps: (s: Observable<Step>) => s.pipe(throttleSteps(4), record()) };
    const { state } = await run(resume(path), branches, { directory: join(folder, 'second'), progress: false });
    expect(state).toBe('finished');
    expect(held(path).indices).toEqual([0, 4, 8, 12]);
    await collect(resume(path, { steps: 17 }).pipe(throttleSteps(4), record()));
    expect(held(path).indices).toEqual([0, 4, 8, 12, 16]);
    const behind = resume(path, { steps: 24 }).pipe(skip(3), record());
    await expect(collect(behind)).rejects.toThrow('the recording ends with step 16, and the next to come is step 19');
  });

  it('begins a new recording where another is named, and leaves the first as it is', async () => {
    const before = readFileSync(path);
    const whole = await collect(train());
    const other = join(folder, 'other.arrows');
    await collect(resume(path).pipe(record(other, { every: 2 })));
    expect(held(other).indices).toEqual([8, 10, 12]);
    expect(await collect(replay(other))).toEqual([whole[8], whole[10], whole[12]]);
    expect(readFileSync(path)).toEqual(before);
  });

  it('goes on in a run with the recording where it lies, also behind operators, whatever its branch is', async () => {
    const directory = join(folder, 'second');
    const early = resume(path).pipe(
      tap(() => {}),
      takeWhile(({ index }) => index < 11),
    );
    const { state } = await run(early, { steps: (s) => s.pipe(record()) }, { directory, progress: false });
    expect([state, held(path).indices.length]).toEqual(['finished', 11]);
    expect(readdirSync(directory).sort()).toEqual(['log.jsonl', 'run.json']);
    const named = { other: (s: Observable<Step>) => s.pipe(record('other.arrows')) };
    await run(resume(path, { step: 9 }), named, { directory: join(folder, 'third'), progress: false });
    expect(held(join(folder, 'third', 'other.arrows')).indices).toEqual([9, 10, 11, 12]);
    expect(held(path).indices).toHaveLength(11);
  });

  it('keeps two sinks from going on with one recording', async () => {
    const before = readFileSync(path);
    const directory = join(folder, 'second');
    const both = { one: (s: Observable<Step>) => s.pipe(record()), two: (s: Observable<Step>) => s.pipe(record()) };
    await expect(run(resume(path), both, { directory, progress: false })).rejects.toThrow(
      `record: ${path} is in use by process ${process.pid} (another sink of this program).`,
    );
    expect(readFileSync(path)).toEqual(before);
    expect(existsSync(directory)).toBe(false);
    await run(resume(path), { one: both.one }, { directory, progress: false });
    expect(await collect(replay(path))).toEqual(await collect(train()));
  });

  it('and record refuse another run, naming what differs', async () => {
    const message = (name: string) => new RegExp(`^record: .* was recorded with ${name} `);
    for (const [name, value] of Object.entries({
      learningRate: 0.1,
      batchSize: 4,
      replacement: true,
      beta1: 0,
      beta2: 0.1,
      seed: 7,
    })) {
      expect(() => resume(path, { [name]: value })).toThrow(`resume: there is no option '${name}'.`);
      await expect(collect(claiming(path, train({ [name]: value })).pipe(record()))).rejects.toThrow(message(name));
    }
    const engine = Object.assign(regression(), { metadata: { ...L.metadata, engine: { name: 'wasm' } } });
    await expect(collect(resume(path, { objective: engine }))).rejects.toThrow(
      /^resume: .* with objective.engine nothing, and it is {"name":"wasm"} now/,
    );
    expect(() => resume(path, { objective: regression(13) })).toThrow('Its steps belong to another L');
  });

  it('refuses what it cannot begin at', async () => {
    expect(() => resume(path, { step: 8 })).toThrow('holds 8 steps from 0 to 7, and not step 8');
    expect(() => resume(path, { step: -1 })).toThrow('step is -1');
    expect(() => resume(path, { steps: -1 })).toThrow('resume: steps is -1');
    await expect(collect(resume(path, { steps: 6 }))).rejects.toThrow(
      'resume: steps is 6, and the recording goes on at step 7',
    );
    expect(() => resume(join(folder, 'none.arrows'))).toThrow('cannot be opened');
    const later = resume(path);
    await collect(train().pipe(record(path, { every: 2, overwrite: true })));
    await expect(collect(later)).rejects.toThrow('does not hold step 7 where it did when it was opened');
  });

  it('leaves no trace of a run that is refused, and the recording as it was', async () => {
    const before = readFileSync(path);
    const directory = join(folder, 'second');
    for (const source of [resume(path, { steps: 6 }), claiming(path, train({ learningRate: 0.1 }))]) {
      const both = { loss: branches.loss, recording: branches.recording };
      await expect(run(source, both, { directory, progress: false })).rejects.toThrow(/^(resume|record): /);
      expect(existsSync(directory) ? readdirSync(directory) : []).toEqual([]);
    }
    expect(readFileSync(path)).toEqual(before);
  });

  it('refuses in record a gap, other weights, and a recording that is gone', async () => {
    await expect(collect(resume(path).pipe(skip(3), record()))).rejects.toThrow(
      'the recording ends with step 7, and the next to come is step 10',
    );
    const other = resume(path, { step: 5 }).pipe(
      map((step) => openStep({ ...step, weights: step.weights.map((w) => w + 0.01) }, step.run).step),
    );
    await expect(collect(other.pipe(record()))).rejects.toThrow(
      /entry 0 of θ at step 7 is .* not the one that was recorded/,
    );
    expect(held(path).indices).toHaveLength(8);
    const gone = resume(path).pipe(tap(() => rmSync(path)));
    await expect(collect(gone.pipe(record()))).rejects.toThrow('cannot be opened');
  });
});

/** Steps whose source says that it goes on with a recording. */
const claiming = (recording: string, steps: Observable<Step>): Observable<Step> => {
  const resumes = { recording, tables: [], note: null };
  return steps.pipe(map((step) => openStep(step, { ...step.run, resumes }).step));
};
