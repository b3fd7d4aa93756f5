import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, takeWhile } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FileLock } from '../../src/files/FileLock.ts';
import { throttleSteps } from '../../src/operators/throttleSteps.ts';
import { gradientConcentration } from '../../src/probes/gradientConcentration.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { fork } from '../../src/recording/fork.ts';
import { record } from '../../src/recording/record.ts';
import { amendRecord } from '../../src/recording/recordedRun.ts';
import { replay } from '../../src/recording/replay.ts';
import { resume } from '../../src/recording/resume.ts';
import type { Branches } from '../../src/runs/branches.ts';
import { run } from '../../src/runs/run.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { TableLog } from '../../src/tables/TableLog.ts';
import { toArrow } from '../../src/tables/toArrow.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';
import { held } from './plain.ts';

let parent: string;
let path: string;
const exitCode = process.exitCode;
const at = (name: string) => join(parent, name);
const L = regression();
const train = (steps = 12) => gradientDescent(L, { learningRate: 0.05, steps, batchSize: 5, seed: 2 });
const recording: Branches = { recording: (s) => s.pipe(record()) };
const tables: Branches = {
  loss: (s) => s.pipe(trainingLoss(), toArrow()),
  rare: (s) => s.pipe(throttleSteps(5), trainingLoss(), toArrow()),
  concentration: (s) => s.pipe(throttleSteps(2), gradientConcentration({ batchSizes: [1, 2, 3] }), toArrow()),
};
const into = (directory: string, more: object = {}) => ({ directory: at(directory), progress: false, ...more });
const rowsOf = async (directory: string, table: string) => (await readTable(at(`${directory}/${table}.arrows`))).rows;
/** Without sums over a run, which begin anew where it is resumed, and say where. */
const lasting = async (directory: string, table: string) =>
  (await rowsOf(directory, table)).map((row) =>
    Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('running_'))),
  );
const stepsOf = async (directory: string, table: string) => (await rowsOf(directory, table)).map(({ step }) => step);
const recordOf = (directory: string) => JSON.parse(readFileSync(at(`${directory}/run.json`), 'utf8'));

/** Leaves of a table what a crash and `recover` leave: its first rows. */
async function cutOff(table: string, count: number): Promise<void> {
  const file = at(`first/${table}.arrows`);
  const { table: declaration, rows, metadata } = await readTable(file);
  rmSync(file);
  const log = new TableLog(declaration, at(`first/${table}`), { format: 'arrow', metadata });
  for (const row of rows.slice(0, count)) log.append(row);
  log.finish();
  const { recovered = [] } = recordOf('first');
  amendRecord('test', at('first'), { state: 'recovered', recovered: [...recovered, table] });
}

beforeEach(async () => {
  parent = mkdtempSync(join(tmpdir(), 'brink-recorded-'));
  path = at('first/recording.arrows');
  // Steps 0 to 8 of 12.
  const early = train().pipe(takeWhile(({ index }) => index < 9));
  await run(early, { ...tables, ...recording }, into('first'));
  await run(train(), tables, into('whole'));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = exitCode;
  rmSync(parent, { recursive: true, force: true });
});

describe('a resumed run', () => {
  it('writes no row again of a run that ended in order', async () => {
    await run(resume(path), { ...tables, ...recording }, into('second'));
    expect(await stepsOf('second', 'loss')).toEqual([9, 10, 11, 12]);
    expect(await stepsOf('second', 'rare')).toEqual([10]);
    expect(recordOf('second').resumed).toMatchObject({ step: 8, tables: { loss: 8, rare: 5, concentration: 8 } });
    expect(recordOf('first').continued).toEqual(['../second']);
    await run(resume(path, { steps: 14 }), { ...tables, ...recording }, into('third'));
    expect(await stepsOf('third', 'loss')).toEqual([13, 14]);
    expect(await stepsOf('third', 'rare')).toEqual([]);
  });

  it('begins behind the table that ends first, and gives each its own rows, also those of half a step', async () => {
    await cutOff('loss', 8);
    // Rows of the steps 0, 2, and one of the three of step 4.
    await cutOff('concentration', 7);
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    await run(resume(path), { ...tables, ...recording }, into('second', { progress: true }));
    const note =
      `The tables of ${at('first')} end at 7 (loss), at 5 (rare), at 4 (concentration); ` +
      'measuring goes on behind the end of each, from step 4 of the recording.';
    expect(said.mock.calls.map(([text]) => text)).toContain(`${note}\n`);
    expect(recordOf('second').resumed).toEqual({
      recording: '../first/recording.arrows',
      step: 4,
      tables: { loss: 7, rare: 5, concentration: 4 },
      note,
    });
    expect(readFileSync(at('second/log.jsonl'), 'utf8')).toContain(JSON.stringify(note));
    for (const table of Object.keys(tables)) {
      expect([...(await lasting('first', table)), ...(await lasting('second', table))]).toEqual(
        await lasting('whole', table),
      );
    }
    // A branch measures from the end of its own table on, not from that of another.
    expect(await stepsOf('second', 'loss')).toEqual([8, 9, 10, 11, 12]);
    expect(held(path).indices).toEqual(Array.from({ length: 13 }, (_, t) => t));
  });

  it('begins with the recording where a table has no row, and says what that can not bring back', async () => {
    await cutOff('rare', 0);
    const whole = await run(resume(path), { ...tables, ...recording }, into('second'));
    expect(whole.steps).toBe(13);
    expect(await stepsOf('second', 'rare')).toEqual([0, 5, 10]);
    expect(await stepsOf('second', 'loss')).toEqual([9, 10, 11, 12]);
    const late = train().pipe(takeWhile(({ index }) => index < 9));
    rmSync(at('first'), { recursive: true });
    await run(late, { ...tables, recording: (s) => s.pipe(record(undefined, { from: 6 })) }, into('first'));
    await cutOff('loss', 3);
    await run(resume(path), { ...tables, ...recording }, into('third'));
    expect(await stepsOf('third', 'loss')).toEqual([6, 7, 8, 9, 10, 11, 12]);
    expect(recordOf('third').resumed.note).toContain(
      "What is missing of the steps 3 to 5 can't be made: the recording begins later.",
    );
  });

  it('writes all rows from a step that is named, and of a table that is new', async () => {
    await cutOff('loss', 5);
    await run(resume(path, { step: 3 }), { ...tables, ...recording }, into('second'));
    expect(await stepsOf('second', 'loss')).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(recordOf('second').resumed).toMatchObject({ step: 3, tables: {}, note: null });
    rmSync(at('second'), { recursive: true });
    await run(resume(path), { other: tables.loss! }, into('third'));
    expect(await stepsOf('third', 'other')).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  it('says where it cannot know how far the tables are', async () => {
    rmSync(at('first/run.json'));
    await run(resume(path), { ...tables, ...recording }, into('second'));
    expect(await stepsOf('second', 'loss')).toEqual([8, 9, 10, 11, 12]);
    expect(recordOf('second').resumed.note).toContain('lies in no folder of a run whose run.json lists it');
    writeFileSync(at('first/run.json'), '{');
    await expect(run(resume(path), tables, into('third'))).rejects.toThrow(
      `resume: ${at('first/run.json')} is no record of a run`,
    );
    expect(existsSync(at('third'))).toBe(false);
  });

  it('says that the recording is of another machine', async () => {
    const file = at('elsewhere.arrows');
    await run(train(), { recording: (s) => s.pipe(record(file)) }, into('here'));
    await run(resume(file, { steps: 13 }), tables, into('same'));
    expect(recordOf('same').resumed.note).not.toContain('another machine');
    vi.resetModules();
    vi.doMock('../../src/files/versions.ts', async (original) => {
      const { MACHINE, ...rest } = await original<typeof import('../../src/files/versions.ts')>();
      return { ...rest, MACHINE: { ...MACHINE, processor: 'another' } };
    });
    const { resume: resumeElsewhere } = await import('../../src/recording/resume.ts');
    vi.doUnmock('../../src/files/versions.ts');
    const { lastValueFrom } = await import('rxjs');
    const { run: about } = await lastValueFrom(resumeElsewhere(file, { steps: 13 }));
    expect(about.resumes!.note).toContain('recorded on another machine or with other versions');
    expect(about.resumes!.note).toContain('behind step 12 the bits need not be those');
  });

  it('does not remove the tables that it goes on from', async () => {
    await run(resume(path).pipe(takeWhile(({ index }) => index < 11)), { ...tables, ...recording }, into('second'));
    const before = readdirSync(at('second'));
    await expect(run(resume(path), { ...tables, ...recording }, into('second', { overwrite: true }))).rejects.toThrow(
      /second\/.*\.arrows is what this run reads, and overwrite would remove it/,
    );
    expect(readdirSync(at('second'))).toEqual(before);
  });
});

describe('a fork', () => {
  it('goes on with no table: its own have all rows from its first step on', async () => {
    await cutOff('loss', 5);
    await run(fork(path, { steps: 3, learningRate: 0.1 }), { ...tables, ...recording }, into('fork'));
    expect(await stepsOf('fork', 'loss')).toEqual([8, 9, 10, 11]);
    expect(recordOf('fork').resumed).toBeUndefined();
    expect(recordOf('first').continued).toBeUndefined();
  });
});

describe('a recording that is gone on with', () => {
  /** A process that goes on with the recording, and then waits. */
  async function resumer() {
    const src = JSON.stringify(join(import.meta.dirname, '../../src/index.ts'));
    const program = `import { record, resume, run } from ${src};
      const wait = () => new Promise(() => setInterval(() => {}, 1000));
      await run(resume(${JSON.stringify(path)}, { steps: 20 }), {
        recording: (s) => s.pipe(record()),
        wait: (s) => { s.subscribe((step) => { if (step.index === 10) { step.waitUntil(wait()); console.log('begun'); } }); return s; },
      }, { directory: ${JSON.stringify(at('other'))}, progress: false });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const gone = new Promise((resolve) => child.once('close', resolve));
    await Promise.race([new Promise((resolve) => child.stdout.once('data', resolve)), gone]);
    const kill = () => {
      child.kill('SIGKILL');
      return gone;
    };
    return { pid: child.pid, kill };
  }

  it('knows its files also where links lead to them', async () => {
    symlinkSync(parent, at('link'));
    const linked = join(at('link'), 'first', 'recording.arrows');
    await run(resume(linked, { steps: 10 }), { ...tables, ...recording }, into('second'));
    expect(recordOf('second').resumed.recording).toBe('../first/recording.arrows');
    // As it was written where links were not followed.
    amendRecord('test', at('second'), {
      resumed: { ...recordOf('second').resumed, recording: '../link/first/recording.arrows' },
    });
    await run(resume(path), { ...tables, ...recording }, into('third'));
    expect(await stepsOf('third', 'loss')).toEqual([11, 12]);

    const isRead = `${path} is what this run reads, and overwrite would remove it.`;
    await expect(run(replay(linked), tables, into('first', { overwrite: true }))).rejects.toThrow(isRead);
    await expect(lastValueFrom(replay(linked).pipe(record(path, { overwrite: true })))).rejects.toThrow(isRead);
    symlinkSync(path, at('last.arrows'));
    const lock = FileLock.take(at('last.arrows')) as FileLock;
    await expect(run(resume(path), recording, into('fourth'))).rejects.toThrow(`record: ${path} is in use by process`);
    lock.release();
    expect(held(path).indices).toHaveLength(13);
  });

  it('goes on with its tables also where a link to its recording alone is named', async () => {
    symlinkSync(path, at('last.arrows'));
    await run(resume(at('last.arrows'), { steps: 10 }), { ...tables, ...recording }, into('second'));
    await run(resume(path), { ...tables, ...recording }, into('third'));
    expect([await stepsOf('second', 'loss'), await stepsOf('third', 'loss')]).toEqual([
      [9, 10],
      [11, 12],
    ]);
  });

  it.each([true, false])('says of tables outside of its folder that it does not know where they end', async (alone) => {
    rmSync(at('first'), { recursive: true });
    const branches = (file: string): Branches => ({
      ...(alone ? {} : tables),
      ...recording,
      away: (s) => s.pipe(trainingLoss(), toArrow({ path: at(file) })),
    });
    await run(train().pipe(takeWhile(({ index }) => index < 9)), branches('away.arrows'), into('first'));
    expect(recordOf('first').elsewhere).toEqual([at('away.arrows')]);
    await run(resume(path), branches('on.arrows'), into('second'));
    expect(recordOf('second').resumed.note).toContain(
      `${at('away.arrows')} lies outside of its run's folder, so that it is not known where it ends: name the step`,
    );
    await run(train(2), tables, into('first', { overwrite: true }));
    expect(existsSync(at('away.arrows'))).toBe(true);
  });

  it('without a branch of one of its tables says which gets no more rows', async () => {
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const { rare: _, ...others } = tables;
    await run(resume(path), { ...others, ...recording, later: tables.rare! }, into('second', { progress: true }));
    const lines = said.mock.calls.map(([text]) => String(text)).filter((text) => text.startsWith('no branch'));
    said.mockRestore();
    expect(lines).toEqual(['no branch is known to go on with rare: without one it gets no rows from here on\n']);
    expect(recordOf('second').resumed.without).toEqual(['rare']);
  });

  it("is one process's: another is refused before it measures, until that one is dead", async () => {
    const { pid, kill } = await resumer();
    const inUse = `record: ${path} is in use by process ${pid}. Two would write over each other`;
    await expect(run(resume(path), { ...tables, ...recording }, into('second'))).rejects.toThrow(inUse);
    expect(existsSync(at('second'))).toBe(false);
    const again = { recording: (s) => s.pipe(record(path, { overwrite: true })) } satisfies Branches;
    await expect(run(train(), again, into('second'))).rejects.toThrow(inUse);
    await expect(run(train(), tables, into('first', { overwrite: true }))).rejects.toThrow(
      `run: ${path} is gone on with by process ${pid} on ${hostname()}. Nothing was removed`,
    );
    expect(held(path).indices).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    await kill();
    await run(resume(path), { ...tables, ...recording }, into('second'));
    // The other measured none, and went on to step 10.
    expect(await stepsOf('second', 'loss')).toEqual([10, 11, 12]);
    expect(recordOf('second').resumed.note).toContain('The run went on without loss, which lacks those rows: name the');
    expect(readdirSync(at('first')).filter((file) => file.includes('.lock'))).toEqual([]);
  }, 30_000);
});
