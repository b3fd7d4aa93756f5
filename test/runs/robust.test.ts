import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { defer, tap } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { branchOf } from '../../src/core/origin.ts';
import { trainingLoss } from '../../src/probes/index.ts';
import type { Branch } from '../../src/runs/branches.ts';
import { describeRun } from '../../src/runs/describeRun.ts';
import { outliveClosedPipes } from '../../src/runs/outliveClosedPipes.ts';
import { run } from '../../src/runs/run.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { toTensorBoard } from '../../src/tables/toTensorBoard.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';

let parent: string;
let directory: string;
const exitCode = process.exitCode;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'brink-robust-'));
  directory = join(parent, 'run');
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = exitCode;
  rmSync(parent, { recursive: true, force: true });
});

const train = (steps = 3) => gradientDescent(regression(), { learningRate: 0.1, steps });
const loss = { loss: (s: ReturnType<typeof train>) => s.pipe(trainingLoss(), toParquet()) };
const again = () => run(train(), loss, { directory, progress: false, overwrite: true });

/** A run of 80 steps that takes a second and more, and talks on standard error. */
const PROGRAM = (folder: string) => `
  import { gradientDescent, leastSquares, measure, run, toParquet, trainingLoss } from 'brink';
  const objective = leastSquares({ X: [[1, 0], [0, 3], [1, 1]], y: [1, 2, 3] });
  const pause = measure(async (_, { index }) => {
    await new Promise((done) => setTimeout(done, 15));
    process.stderr.write('step ' + index + '\\n');
    console.log(index);
    return { index };
  });
  await run(gradientDescent(objective, { learningRate: 0.01, steps: 80 }), {
    loss: (s) => s.pipe(trainingLoss(), toParquet()),
    pause: (s) => s.pipe(pause),
  }, { directory: ${JSON.stringify(folder)} });
`;

describe('a program whose reader has gone', () => {
  it('runs to its end, with every row', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM(directory)], {
      cwd: join(import.meta.dirname, '../..'),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.once('data', () => child.stdout.destroy());
    child.stderr.once('data', () => child.stderr.destroy());
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code).toBe(0);
    expect((await readTable(join(directory, 'loss.parquet'))).rows).toHaveLength(81);
    expect(JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8')).state).toBe('finished');
  }, 30_000);

  it.skipIf(!existsSync('/dev/full'))(
    'does so too where a full disk takes no more of what it says',
    async () => {
      const full = openSync('/dev/full', 'w');
      const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM(directory)], {
        cwd: join(import.meta.dirname, '../..'),
        stdio: ['ignore', 'pipe', full],
      });
      child.stdout?.resume();
      expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
      expect((await readTable(join(directory, 'loss.parquet'))).rows).toHaveLength(81);
    },
    30_000,
  );

  it('outlives a terminal that is closed, and says by its exit code that output has no place', () => {
    outliveClosedPipes();
    const { exitCode } = process;
    const said = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
    const fail = (stream: NodeJS.WriteStream, code: string) =>
      stream.emit('error', Object.assign(new Error(`${code}: write`), { code }));
    for (const stream of [process.stdout, process.stderr]) for (const code of ['EPIPE', 'EIO']) fail(stream, code);
    fail(process.stderr, 'ENOSPC');
    expect([process.exitCode, said.mock.calls]).toEqual([exitCode, []]);
    fail(process.stdout, 'ENOSPC');
    expect([process.exitCode, said.mock.calls]).toEqual([1, [["standard output can't be written: ENOSPC: write\n"]]]);
    process.exitCode = exitCode;
    said.mockRestore();
  });
});

describe("the run's folder", () => {
  it('keeps the run before where a sink of the new one has no place, and is free for the next', async () => {
    await again();
    const before = readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'utf8')]);
    writeFileSync(join(parent, 'file'), '');
    const path = join(parent, 'file', 'x.parquet');
    for (const nowhere of [toParquet({ path }), toTensorBoard({ folder: join(parent, 'file') })]) {
      const branches = { ...loss, nowhere: (s: ReturnType<typeof train>) => s.pipe(trainingLoss(), nowhere) };
      await expect(run(train(), branches, { directory, progress: false, overwrite: true })).rejects.toThrow(
        /file can't be a folder: .*file is a file\. Name a place that can be written\.$/,
      );
    }
    expect(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'utf8')])).toEqual(before);
    expect((await again()).state).toBe('finished');
  });

  it('holds nothing of a run whose sinks could not all be opened', async () => {
    const other: Branch = (s) =>
      defer(() => {
        branchOf(s)!.whenBegun(() => {
          throw new Error('on purpose');
        });
        return s;
      });
    await expect(run(train(), { ...loss, other }, { directory, progress: false })).rejects.toThrow('on purpose');
    expect(readdirSync(directory)).toEqual([]);
  });

  it('lists a file at once that a sink takes only as a row comes, and it lies there', async () => {
    const late: Branch = (s) => defer(() => s.pipe(trainingLoss())).pipe(toTensorBoard(), toParquet());
    let listed: readonly string[] = [];
    const look: Branch = (s) =>
      s.pipe(
        tap(({ index }) => {
          if (index === 2) listed = JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8')).files;
        }),
      );
    await run(train(), { late, look }, { directory, progress: false });
    const events = 'tensorboard/trainingLoss/events.out.tfevents.brink';
    expect(listed).toEqual(expect.arrayContaining(['late.arrows.part', events.replace('trainingLoss', 'late')]));
    expect(existsSync(join(directory, 'tensorboard/late/events.out.tfevents.brink'))).toBe(true);
  });

  it('says again that the run lives once it can be written again, and keeps what others have noted', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
    const said = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
    const path = join(directory, 'run.json');
    const read = () => JSON.parse(readFileSync(path, 'utf8'));
    const gate = Promise.withResolvers<void>();
    const held: Branch = (s) => s.pipe(tap((step) => step.index === 1 && step.waitUntil(gate.promise)));
    const ended = run(train(), { ...loss, held }, { directory, progress: false });
    while (!existsSync(path)) await new Promise((resolve) => setImmediate(resolve));
    const begun = Date.parse(read().heartbeat);
    writeFileSync(path, JSON.stringify({ ...read(), continued: ['../next'] }));
    mkdirSync(`${path}.tmp`);
    vi.advanceTimersByTime(30_000);
    expect(Date.parse(read().heartbeat)).toBe(begun);
    expect(said).toHaveBeenCalledTimes(1);
    rmSync(`${path}.tmp`, { recursive: true });
    vi.advanceTimersByTime(10_000);
    expect(Date.parse(read().heartbeat) - begun).toBeGreaterThanOrEqual(40_000);
    vi.useRealTimers();
    gate.resolve();
    expect((await ended).state).toBe('finished');
    expect(read()).toMatchObject({ state: 'finished', continued: ['../next'] });
  });

  it('is not taken from a run that lives on another host, by its heartbeat', async () => {
    await again();
    const path = join(directory, 'run.json');
    const record = JSON.parse(readFileSync(path, 'utf8'));
    const elsewhere = (heartbeat: Date) =>
      writeFileSync(
        path,
        JSON.stringify({
          ...record,
          state: 'running',
          process: { host: `not-${hostname()}`, pid: 1 },
          heartbeat: heartbeat.toISOString(),
        }),
      );
    elsewhere(new Date(Date.now() - 60_000));
    await expect(again()).rejects.toThrow(/is being written by process 1 on not-.*, which was there \d{4}-/);
    expect((await describeRun(directory)).state).toBe('running');
    elsewhere(new Date(Date.now() - 60 * 60_000));
    expect((await describeRun(directory)).state).toBe('cut off');
    expect((await again()).state).toBe('finished');
  });

  it('goes to one of two processes that overwrite the run before within the same millisecond', async () => {
    const folders = Array.from({ length: 60 }, (_, k) => join(parent, `${k}`));
    for (const folder of folders) {
      mkdirSync(folder);
      writeFileSync(join(folder, 'run.json'), JSON.stringify({ state: 'finished', files: ['log.jsonl'] }));
    }
    const begin = Date.now() + 2500;
    const takers = [0, 1].map(() => {
      const taking = `
        import { openSync } from 'node:fs';
        import { hostname } from 'node:os';
        import { RunFolder } from ${JSON.stringify(join(import.meta.dirname, '../../src/runs/RunFolder.ts'))};
        const record = { state: 'running', process: { host: hostname(), pid: process.pid }, files: ['log.jsonl'] };
        for (const [k, path] of ${JSON.stringify(folders)}.entries()) {
          while (Date.now() < ${begin} + 20 * k);
          try {
            const folder = new RunFolder(path);
            folder.requireFree({ overwrite: true });
            folder.take(record, { overwrite: true, reads: [] }, () => openSync(folder.path('log.jsonl'), 'a'));
            console.log(k);
          } catch (error) {
            if (!/is being|already holds/.test(error.message)) throw error;
          }
        }
        await new Promise((end) => process.stdin.resume().on('end', end));
      `;
      const child = spawn(process.execPath, ['--input-type=module', '-e', taking], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const ended = new Promise<string[]>((resolve) => {
        let text = '';
        child.stdout.on('data', (data) => {
          text += data;
        });
        child.on('close', () => resolve(text.split('\n').filter(Boolean)));
      });
      return { child, ended };
    });
    await new Promise((resolve) => setTimeout(resolve, begin + 20 * folders.length + 1500 - Date.now()));
    for (const { child } of takers) child.stdin.end();
    const taken = (await Promise.all(takers.map(({ ended }) => ended))).flat().map(Number);
    expect(taken.toSorted((a, b) => a - b)).toEqual(folders.map((_, k) => k));
  }, 30_000);

  it('is not blocked by the empty record that a full disk has left', async () => {
    mkdirSync(directory);
    writeFileSync(join(directory, 'run.json'), '');
    expect((await again()).state).toBe('finished');
  });

  it('is not a way through a link to files outside of it', async () => {
    const outside = join(parent, 'outside');
    mkdirSync(outside);
    mkdirSync(directory);
    writeFileSync(join(outside, 'mine.txt'), 'mine');
    symlinkSync(outside, join(directory, 'link'));
    writeFileSync(join(directory, 'run.json'), JSON.stringify({ files: ['link/mine.txt'] }));
    await expect(again()).rejects.toThrow('lists link/mine.txt, which lies outside its folder. Nothing was removed');
    expect(readFileSync(join(outside, 'mine.txt'), 'utf8')).toBe('mine');
    // A folder that is itself behind a link is a folder like another.
    symlinkSync(join(parent, 'real'), join(parent, 'behind'));
    mkdirSync(join(parent, 'real'));
    directory = join(parent, 'behind');
    await again();
    expect((await again()).state).toBe('finished');
    expect(readdirSync(join(parent, 'real')).sort()).toEqual(['log.jsonl', 'loss.parquet', 'run.json']);
  });

  it.skipIf(!existsSync('/proc'))('is refused at once where a file system answers oddly', () => {
    const program = `
      import { run, gradientDescent, toy, toParquet, trainingLoss } from 'brink';
      const steps = gradientDescent(toy(), { learningRate: 0.01, steps: 1 });
      const branches = { loss: (s) => s.pipe(trainingLoss(), toParquet()) };
      await run(steps, branches, { directory: '/proc/brink/a', progress: false }).catch(({ message }) => console.log(message));
    `;
    const { stdout, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: join(import.meta.dirname, '../..'),
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect([signal, stdout]).toEqual([null, expect.stringMatching(/^run: \/proc\/brink\/a can't be written: ENOENT/)]);
  });

  it('of a table or a recording that names its own is refused where it is on a file system that answers oddly', () => {
    const program = `
      import { gradientDescent, record, toParquet, toy, trainingLoss } from 'brink';
      import { lastValueFrom } from 'rxjs';
      const train = () => gradientDescent(toy(), { learningRate: 0.1, steps: 3 });
      const table = train().pipe(trainingLoss(), toParquet({ path: '/proc/brink/t.parquet' }));
      const recording = train().pipe(record('/proc/brink/r.arrows'));
      for (const written of [table, recording]) await lastValueFrom(written).catch(({ message }) => console.log(message));
    `;
    const { stdout, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: join(import.meta.dirname, '../..'),
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(signal).toBe(null);
    expect(stdout.split('\n').slice(0, 2)).toEqual([
      expect.stringMatching(
        /^TableLog: \/proc\/brink\/t\.arrows\.part cannot be opened: ENOENT.* Name a place that can be/,
      ),
      expect.stringMatching(/^record: \/proc\/brink\/r\.arrows cannot be opened: ENOENT.* Name a place that can be/),
    ]);
  });

  it('that is gone while the run lives is told of, in a sentence', async () => {
    let said = '';
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      said += text;
      return true;
    });
    const moved = { moved: (s: ReturnType<typeof train>) => s.pipe(trainingLoss()) };
    const steps = train(2);
    const ended = run(steps, moved, { directory, progress: false });
    while (!existsSync(join(directory, 'run.json'))) await new Promise((resolve) => setImmediate(resolve));
    renameSync(directory, join(parent, 'elsewhere'));
    expect((await ended).branches.moved.rows).toBe(3);
    expect(said).toContain(`run: ${directory} can't be written: ENOENT`);
    expect(said).toContain('Name a folder that can.');
  });
});
