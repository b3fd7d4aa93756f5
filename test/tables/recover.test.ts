import { type ChildProcess, spawn } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { inspect } from 'node:util';
import { RecordBatchReader } from 'apache-arrow';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generator } from '../../src/linalg/random.ts';
import { recover } from '../../src/runs/recover.ts';
import { finishParquet } from '../../src/tables/finishParquet.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { TableLog } from '../../src/tables/TableLog.ts';
import { hostileRows, smallTable } from '../helpers/hostileRows.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-recover-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const random = generator(3);
const between = (least: number, most: number) => uniformInt(random, least, most);
/** Every file of the folder, with its bytes. */
const snapshot = () =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .filter((file) => /\.[a-z]+$/.test(file))
    .map((file) => [file, readFileSync(join(folder, file)).toString('base64')]);
/** Rows as text that tells apart what JSON does not. */
const text = (rows: readonly object[]) =>
  JSON.stringify(rows, (_, value) => {
    if (typeof value === 'number' && !(value > -Infinity && value < Infinity && value !== 0)) return inspect(value);
    return ArrayBuffer.isView(value) ? Array.from(value as Float64Array) : value;
  });

const PROGRAM = join(import.meta.dirname, '../helpers/tableProcess.ts');

/** Starts a process to be killed, and waits until it has printed its first line. */
async function start(...args: string[]): Promise<{ child: ChildProcess; said: () => string[] }> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (bytes) => {
      text += bytes;
      if (text.includes('\n')) resolve();
    });
    child.on('exit', () => reject(new Error(`it ended before it began: ${text}`)));
  });
  return { child, said: () => text.split('\n').slice(0, -1) };
}

/** Kills it as the kernel does where memory is short, and waits until it is gone. */
async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.on('close', resolve));
  child.kill('SIGKILL');
  await gone;
}

/** A finished log of hard rows that was to become Parquet, as a crash before the Parquet file leaves it. */
function finishedLog(name: string, rows: number): { log: string; target: string } {
  const stem = join(folder, name);
  const log = new TableLog(smallTable, stem, { format: 'parquet', metadata: { seed: 7 } });
  for (const row of hostileRows(1, rows, smallTable)) log.append(row);
  return { log: log.finish(), target: `${stem}.parquet` };
}

const expectWhole = async (target: string, rows: number) => {
  const found = await readTable(target);
  expect(found.metadata).toEqual({ seed: 7 });
  expect(text(found.rows)).toBe(text(hostileRows(1, rows, smallTable)));
};

describe('recover, after a process was killed', () => {
  it('keeps every row whose write returned, at twelve moments of a log, and a second run changes nothing', async () => {
    for (let crash = 0; crash < 12; crash += 3) {
      await Promise.all(
        [0, 1, 2].map(async (k) => {
          const stem = join(folder, `crash${crash + k}`, 'rows');
          const { child, said } = await start('write', stem);
          await wait(between(0, 60));
          await kill(child);
          const told = Number(said().at(-1));
          const [result, ...others] = await recover(join(stem, '..'));
          expect(others).toEqual([]);
          expect(result).toMatchObject({ path: `${stem}.parquet`, problem: null });
          expect(result!.rows).toBeGreaterThanOrEqual(told);
          expect(readdirSync(join(stem, '..'))).toEqual(['rows.parquet']);
          const { rows } = await readTable(`${stem}.parquet`);
          expect(rows).toHaveLength(result!.rows);
          const wanted = hostileRows(1, 1000, smallTable);
          expect(text(rows)).toBe(text(rows.map((_, step) => ({ ...wanted[step % 1000], step }))));
        }),
      );
    }
    const before = snapshot();
    expect(await recover(folder)).toEqual([]);
    expect(snapshot()).toEqual(before);
  }, 60_000);

  it('at thirty moments of a run whose passes let no timer run, loses the rows of at most a second', async () => {
    for (let crash = 0; crash < 30; crash += 10) {
      await Promise.all(
        Array.from({ length: 10 }, async (_, k) => {
          const stem = join(folder, `slow${crash + k}`, 'rows');
          const { child, said } = await start('slow', stem);
          await wait(between(0, 3000));
          await kill(child);
          const told = said().map((line) => line.split(' ').map(Number) as [number, number]);
          const [result] = await recover(join(stem, '..'));
          expect(result!.problem).toBeNull();
          const lost = told.filter(([count]) => count > result!.rows).map(([, time]) => time);
          expect((lost.at(-1) ?? 0) - (lost[0] ?? 0)).toBeLessThan(1000);
          const { rows } = await readTable(`${stem}.parquet`);
          expect(rows.map(({ step }) => step)).toEqual(rows.map((_, step) => step));
        }),
      );
    }
  }, 120_000);

  it.each(['finish', 'recover'])(
    'loses no row where %s was cut off in the Parquet file',
    async (task) => {
      for (let crash = 0; crash < 4; crash++) {
        const name = `cut${crash}`;
        const target = join(folder, `${name}.parquet`);
        if (task === 'recover') finishedLog(name, 2000);
        const { child } = await start(task, ...(task === 'finish' ? [join(folder, name), '2000'] : [folder]));
        await wait(crash * 50);
        await kill(child);
        const left = readdirSync(folder).filter((file) => file.startsWith(name));
        // Whatever was left: the log, or the whole file.
        if (left.includes(`${name}.arrows`)) {
          expect(await recover(folder)).toEqual([
            { path: target, rows: 2000, bytesLost: 0, problem: null, leftTo: null },
          ]);
        }
        expect(readdirSync(folder).filter((file) => file.startsWith(name))).toEqual([`${name}.parquet`]);
        await expectWhole(target, 2000);
        expect(await recover(folder)).toEqual([]);
      }
    },
    60_000,
  );
});

describe('recover, from each state that a crash can leave', () => {
  const once = (rows: number, bytesLost = 0) => [
    { path: join(folder, 'rows.parquet'), rows, bytesLost, problem: null, leftTo: null },
  ];

  it.each<[string, (log: string, target: string) => Promise<unknown> | unknown]>([
    ['the stream is ended, and has not its name', (log) => renameSync(log, `${log}.part`)],
    ['the Parquet file is half written', (_, target) => writeFileSync(`${target}.tmp`, 'PAR1 and half a row')],
    [
      'the Parquet file is whole, and the log not removed',
      async (log, target) => {
        copyFileSync(log, `${log}.copy`);
        await finishParquet('test', log, target);
        renameSync(`${log}.copy`, log);
      },
    ],
  ])('where %s', async (_, leave) => {
    const { log, target } = finishedLog('rows', 300);
    await leave(log, target);
    expect(await recover(folder)).toEqual(once(300));
    expect(readdirSync(folder)).toEqual(['rows.parquet']);
    await expectWhole(target, 300);
    expect(await recover(folder)).toEqual([]);
  });

  it('gives a readable prefix wherever a log is cut off within its last two batches', async () => {
    const stem = join(folder, 'rows');
    const log = new TableLog(smallTable, stem, { format: 'arrow', metadata: {} });
    const part = `${stem}.arrows.part`;
    const ends: number[] = [];
    for (const row of hostileRows(1, 3 * 256, smallTable)) {
      log.append(row);
      if (log.rows > 256 * ends.length) ends.push(readFileSync(part).length);
    }
    const bytes = readFileSync(log.finish());
    expect(ends).toHaveLength(3);
    rmSync(`${stem}.arrows`);
    // Each byte where a message begins or ends, and some between.
    const edges = ends.flatMap((end) => Array.from({ length: 20 }, (_, k) => end - 10 + k));
    const within = Array.from({ length: 40 }, () => between(ends[0]!, bytes.length - 1));
    for (const size of [...edges, ...within].filter((size) => size >= ends[0]! && size < bytes.length)) {
      writeFileSync(part, bytes.subarray(0, size));
      const batches = ends.filter((end) => end <= size).length;
      const bytesLost = size - ends[batches - 1]!;
      expect(await recover(folder)).toEqual([
        { path: `${stem}.arrows`, rows: 256 * batches, bytesLost, problem: null, leftTo: null },
      ]);
      // A reader of its own, which refuses a torn stream.
      let rows = 0;
      for (const batch of RecordBatchReader.from(readFileSync(`${stem}.arrows`))) rows += batch.numRows;
      expect(rows).toBe(256 * batches);
      rmSync(`${stem}.arrows`);
    }
  }, 60_000);

  it.each([
    ['zeros', Buffer.alloc(5000)],
    ['noise', Buffer.from(Array.from({ length: 5000 }, () => between(0, 255)))],
    ['a message header that promises more than there is', Buffer.from([255, 255, 255, 255, 255, 255, 255, 127, 1, 2])],
    ['a message header that is none', Buffer.from([255, 255, 255, 255, 8, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8])],
  ])('cuts off %s at the end of a log', async (_, tail) => {
    const { log, target } = finishedLog('rows', 300);
    renameSync(log, `${log}.part`);
    truncateSync(`${log}.part`, readFileSync(`${log}.part`).length - 8);
    appendFileSync(`${log}.part`, tail);
    expect(await recover(folder)).toEqual(once(300, tail.length));
    await expectWhole(target, 300);
  });

  it('tells of a log without a schema, goes on with the others, and removes it once nobody can be at it', async () => {
    const { log, target } = finishedLog('rows', 300);
    const bytes = readFileSync(log);
    mkdirSync(join(folder, 'a'));
    const sizes = { empty: 0, torn: 200 };
    const begun = Object.entries(sizes).map(([name, size]) => {
      const path = join(folder, 'a', `${name}.arrows.part`);
      writeFileSync(path, bytes.subarray(0, size));
      return path;
    });
    const results = await recover(folder);
    expect(results.map(({ problem }) => problem)).toEqual([
      expect.stringContaining('empty.arrows.part has no whole schema message'),
      expect.stringContaining('torn.arrows.part has no whole schema message'),
      null,
    ]);
    await expectWhole(target, 300);
    expect(readdirSync(join(folder, 'a'))).toEqual(['empty.arrows.part', 'torn.arrows.part']);

    for (const path of begun) utimesSync(path, 1e9, 1e9);
    const left = { rows: 0, problem: null, leftTo: null };
    expect(await recover(folder)).toEqual(begun.map((path, k) => ({ ...left, path, bytesLost: [0, 200][k] })));
    expect(readdirSync(join(folder, 'a'))).toEqual([]);
    expect(await recover(folder)).toEqual([]);
  });

  it('leaves alone what is finished, and files that are not tables', async () => {
    const log = new TableLog(smallTable, join(folder, 'done'), { format: 'arrow', metadata: {} });
    for (const row of hostileRows(1, 10, smallTable)) log.append(row);
    log.finish();
    writeFileSync(join(folder, 'other.parquet.tmp'), 'of someone else');
    writeFileSync(join(folder, 'run.json'), '{}');
    const before = snapshot();
    expect(await recover(folder)).toEqual([]);
    expect(snapshot()).toEqual(before);
  });

  it('refuses a folder that is not there', async () => {
    await expect(recover(join(folder, 'none'))).rejects.toThrow(`recover: there is no folder ${join(folder, 'none')}`);
  });
});

describe('recover, beside a living process', () => {
  it('leaves the log that it writes alone, and finishes it once it is gone', async () => {
    const { child, said } = await start('write', join(folder, 'rows'));
    try {
      const [result, ...others] = await recover(folder);
      expect(others).toEqual([]);
      expect(result!.problem).toContain(`is being written by process ${child.pid}`);
      const told = Number(said().at(-1));
      while (Number(said().at(-1)) <= told) await wait(10);
    } finally {
      await kill(child);
    }
    expect(await recover(folder)).toMatchObject([{ path: join(folder, 'rows.parquet'), problem: null }]);
  });

  it('leaves the Parquet file that it makes alone', async () => {
    const { child, said } = await start('finish', join(folder, 'rows'), '4000');
    const ended = new Promise((resolve) => child.on('close', resolve));
    while (!existsSync(join(folder, 'rows.parquet.tmp'))) await wait(1);
    const [result, ...others] = await recover(folder);
    expect(said()).toEqual(['begin']);
    expect(others).toEqual([]);
    expect(result!.problem).toContain(`is being written by process ${child.pid}`);
    expect(await ended).toBe(0);
    expect(readdirSync(folder)).toEqual(['rows.parquet']);
    await expectWhole(join(folder, 'rows.parquet'), 4000);
  });
});
