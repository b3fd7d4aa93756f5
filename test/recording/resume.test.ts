import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { take } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generator } from '../../src/linalg/random.ts';
import { record } from '../../src/recording/record.ts';
import { replay } from '../../src/recording/replay.ts';
import { run } from '../../src/runs/run.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { recover } from '../../src/tables/recover.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';
import { collect } from './plain.ts';
import { branches, KINDS, type Kind, objective, source } from './recordingProcess.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-resume-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** How many processes are killed. */
const KILLS = Number(process.env.BRINK_KILLS ?? 6);
const PROGRAM = join(import.meta.dirname, 'recordingProcess.ts');
const random = generator(11);

/** Starts a process, and kills it some milliseconds after its first new step; returns the last step that it spoke of. */
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
      await run(source(kind), branches(path, false), { directory: join(folder, 'whole'), progress: false });
      const cut = join(folder, 'first', 'recording.arrows');
      const told = await killed(uniformInt(random, 0, 350), kind, join(folder, 'first'));
      expect(replay(cut, { objective }).indices.at(-1)).toBeGreaterThanOrEqual(told);
      const again = await killed(uniformInt(random, 0, 350), kind, join(folder, 'second'), cut);
      const held = replay(cut, { objective }).indices;
      expect(held.at(-1)).toBeGreaterThanOrEqual(again);
      expect(held).toEqual(held.map((__, t) => t));

      // From the step behind the last row that the first process saved: together its table and the new one are whole.
      for (const { problem } of await recover(folder)) expect(problem).toBeNull();
      const first = await lossOf('first');
      const missing = { path: cut, step: first.length };
      await run(source(kind, missing), branches(cut, true), { directory: join(folder, 'third'), progress: false });
      expect([...first, ...(await lossOf('third'))]).toEqual(await lossOf('whole'));
      expect(await collect(replay(cut, { objective }))).toEqual(await collect(replay(path, { objective })));

      // And from the first step: the tables are whole, byte by byte.
      await run(source(kind, { path: cut, step: 0 }), branches(cut, true), {
        directory: join(folder, 'all'),
        progress: false,
      });
      expect(
        readFileSync(join(folder, 'all', 'loss.parquet')).equals(readFileSync(join(folder, 'whole', 'loss.parquet'))),
      ).toBe(true);
      expect(readFileSync(cut).subarray(-2000).equals(readFileSync(path).subarray(-2000))).toBe(true);
    },
    120_000,
  );
});

describe('resume', () => {
  const options = { learningRate: 0.05, steps: 12, batchSize: 5, beta1: 0.4, beta2: 0.3, seed: 2 };
  const L = regression();
  const train = (more: object = {}) => gradientDescent(L, { ...options, ...more });
  let path: string;
  beforeEach(async () => {
    path = join(folder, 'recording.arrows');
    await collect(train().pipe(record(path), take(8)));
  });

  it('goes on from the last recorded step, or from any, with the same bits', async () => {
    const whole = await collect(train());
    const resumed = train({ resume: path });
    expect(resumed.total).toBe(6);
    expect(resumed.metadata).toEqual(train().metadata);
    expect(await collect(resumed)).toEqual(whole.slice(7));
    expect(await collect(train({ resume: { path, step: 3 } }))).toEqual(whole.slice(3));
    expect(await collect(train({ resume: path, steps: 20 }))).toEqual((await collect(train({ steps: 20 }))).slice(7));
  });

  it('looks at `until` on the steps on which the whole run does', async () => {
    const until = { loss: 0.345 };
    const whole = await collect(train({ until, steps: 200 }));
    expect(whole.length).toBeLessThan(200);
    await collect(train({ until, steps: 200 }).pipe(record(path, { overwrite: true }), take(9)));
    expect(await collect(train({ until, steps: 200, resume: path }))).toEqual(whole.slice(8));
  });

  it('into the recording gives the file that the whole run gives', async () => {
    const other = join(folder, 'whole.arrows');
    const whole = await collect(train().pipe(record(other)));
    appendFileSync(path, 'torn');
    await collect(train({ resume: { path, step: 5 } }).pipe(record(path, { append: true })));
    const bytes = readFileSync(path);
    expect(bytes.equals(readFileSync(other))).toBe(true);
    expect(await collect(replay(path))).toEqual(whole);
  });

  it('of a thinned recording goes on in its grid', async () => {
    const whole = await collect(train());
    await collect(train().pipe(record(path, { every: 3, overwrite: true }), take(6)));
    const resumed = await collect(train({ resume: path }).pipe(record(path, { append: true })));
    expect(resumed).toEqual(whole.slice(3));
    expect(replay(path).indices).toEqual([0, 3, 6, 9, 12]);
  });

  it('and append refuse another run, naming what differs', async () => {
    const message = (name: string) => new RegExp(`^(gradientDescent|record): .* was recorded with ${name} `);
    for (const [name, value] of Object.entries({
      learningRate: 0.1,
      batchSize: 4,
      replacement: true,
      beta1: 0,
      beta2: 0.1,
      seed: 7,
    })) {
      expect(() => train({ [name]: value, resume: path })).toThrow(message(name));
      await expect(collect(train({ [name]: value }).pipe(record(path, { append: true })))).rejects.toThrow(
        message(name),
      );
    }
    const engine = Object.assign(regression(), { metadata: { ...L.metadata, engine: { name: 'wasm' } } });
    expect(() => gradientDescent(engine, { ...options, resume: path })).toThrow(
      'with objective.engine nothing, and it is {"name":"wasm"} now',
    );
    expect(() => gradientDescent(regression(13), { ...options, resume: path })).toThrow(
      'Its steps belong to another L',
    );
  });

  it('refuses what it cannot begin at', () => {
    expect(() => train({ resume: { path, step: 8 } })).toThrow('holds 8 steps from 0 to 7, and not step 8');
    expect(() => train({ resume: { path, step: -1 } })).toThrow('step is -1');
    expect(() => train({ resume: path, steps: 6 })).toThrow('steps is 6, and the run begins at step 7');
    expect(() => train({ resume: join(folder, 'none.arrows') })).toThrow('cannot be opened');
  });

  it('append refuses a gap, other weights, and a recording that is not there', async () => {
    const later = join(folder, 'later.arrows');
    await collect(train().pipe(record(later)));
    await expect(
      collect(train({ resume: { path: later, step: 10 } }).pipe(record(path, { append: true }))),
    ).rejects.toThrow('the recording ends with step 7, and the next to come is step 10');
    const other = train({ initialWeights: new Float32Array(5) });
    await expect(collect(other.pipe(record(path, { append: true })))).rejects.toThrow(
      /entry 0 of θ at step 7 is .* not the one that was recorded/,
    );
    await expect(collect(train().pipe(record(join(folder, 'none.arrows'), { append: true })))).rejects.toThrow(
      'cannot be opened',
    );
    expect(replay(path).indices).toHaveLength(8);
  });
});
