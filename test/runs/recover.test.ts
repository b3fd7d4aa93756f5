import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileLock } from '../../src/files/FileLock.ts';
import { recover } from '../../src/runs/recover.ts';
import { TableLog } from '../../src/tables/TableLog.ts';
import { brink } from '../cli/brinkProcess.ts';
import { hostileRows, smallTable } from '../helpers/hostileRows.ts';

let parent: string;
let folder: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'brink-recover-run-'));
  folder = join(parent, 'run');
  mkdirSync(folder);
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

/** Leaves a log that was to become a Parquet file, as a process that was killed leaves it. */
async function leaveLog(rows: number, name = 'rows'): Promise<void> {
  const program = `import { TableLog } from ${JSON.stringify(join(import.meta.dirname, '../../src/tables/TableLog.ts'))};
    import { hostileRows, smallTable } from ${JSON.stringify(join(import.meta.dirname, '../helpers/hostileRows.ts'))};
    const log = new TableLog(smallTable, ${JSON.stringify(join(folder, name))}, { format: 'parquet', metadata: {} });
    for (const row of hostileRows(1, ${rows}, smallTable)) log.append(row);
    await null;
    process.kill(process.pid, 'SIGKILL');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'inherit' });
  await new Promise((resolve) => child.once('close', resolve));
}

/** The record of a run that says that it runs, in a process that is no more, or on another machine. */
function writeRecord(more: object = {}): void {
  const record = {
    state: 'running',
    metadata: {},
    started: new Date().toISOString(),
    finished: null,
    process: { host: 'elsewhere', pid: 1 },
    heartbeat: new Date(Date.now() - 3600_000).toISOString(),
    files: FILES,
    ...more,
  };
  writeFileSync(join(folder, 'run.json'), JSON.stringify(record));
}
const FILES = ['log.jsonl', 'rows.parquet', 'rows.arrows.part', 'rows.arrows', 'rows.parquet.tmp'];
const record = () => JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8'));

describe('recover, in the folder of a run', () => {
  it('says in its record that it is recovered, and which tables were cut off', async () => {
    await leaveLog(300);
    writeRecord({ user: 'of somebody' });
    expect(await recover(parent)).toMatchObject([{ rows: 300, problem: null, leftTo: null }]);
    expect(record()).toMatchObject({ state: 'recovered', recovered: ['rows'], user: 'of somebody' });
    expect(Date.now() - Date.parse(record().finished)).toBeLessThan(60_000);
    expect(readdirSync(folder)).toEqual(['rows.parquet', 'run.json']);
    const before = readFileSync(join(folder, 'run.json'));
    expect(await recover(parent)).toEqual([]);
    expect(readFileSync(join(folder, 'run.json'))).toEqual(before);
  });

  it('leaves a run alone that began in a folder after it was looked at', async () => {
    await leaveLog(300, '../before');
    writeFileSync(join(folder, 'rows.arrows.part'), '');
    writeRecord({ process: { host: hostname(), pid: 2 ** 22 + 1 } });
    const recovering = recover(parent);
    // While it is at the table before.
    const log = openSync(join(folder, 'log.jsonl'), 'w');
    rmSync(join(folder, 'rows.arrows.part'));
    writeRecord({ process: { host: hostname(), pid: process.pid }, files: ['log.jsonl'] });
    expect(await recovering).toMatchObject([{ rows: 300, problem: null }]);
    closeSync(log);
    expect(record()).toMatchObject({ state: 'running', finished: null });
  });

  it.each([0, 3, 200])('removes a table of which %i bytes had been begun, before its schema', async (size) => {
    await leaveLog(300);
    writeRecord({ files: [...FILES, 'later.parquet', 'later.arrows.part'] });
    const begun = readFileSync(join(folder, 'rows.arrows.part')).subarray(0, size);
    writeFileSync(join(folder, 'later.arrows.part'), begun);
    const found = await recover(parent);
    expect(found).toContainEqual(expect.objectContaining({ rows: 0, bytesLost: size, problem: null }));
    expect(record()).toMatchObject({ state: 'recovered', recovered: ['rows'] });
    expect(readdirSync(folder)).toEqual(['rows.parquet', 'run.json']);
    expect(await recover(parent)).toEqual([]);
  });

  it('leaves what is no beginning of a table', async () => {
    writeRecord();
    writeFileSync(join(folder, 'rows.arrows.part'), 'notes');
    expect(await recover(parent)).toMatchObject([{ problem: expect.stringContaining('no Arrow stream') }]);
    expect(readdirSync(folder)).toEqual(['rows.arrows.part', 'run.json']);
  });

  it('leaves the record at what it is where a table could not be finished, and of a run that ended', async () => {
    await leaveLog(300);
    const log = join(folder, 'rows.arrows.part');
    const bytes = readFileSync(log);
    bytes[bytes.length - 3000]! ^= 1;
    writeFileSync(log, bytes);
    mkdirSync(join(folder, 'rows.parquet.tmp'));
    writeRecord();
    expect((await recover(parent)).map(({ problem }) => problem)).not.toContain(null);
    expect(record().state).toBe('running');
    writeRecord({ state: 'stopped' });
    await recover(parent);
    expect(record().state).toBe('stopped');
  });

  it('leaves to a run on another machine what that writes, by its heartbeat', async () => {
    await leaveLog(300);
    writeRecord({ heartbeat: new Date().toISOString() });
    const before = readdirSync(folder);
    const [result, ...others] = await recover(parent);
    expect(others).toEqual([]);
    expect(result!.problem).toContain('rows.arrows.part is being written by process 1 on elsewhere');
    expect(readdirSync(folder)).toEqual(before);
    expect(record().state).toBe('running');
  });

  it('visits a run once, however many links lead to it', async () => {
    await leaveLog(300);
    writeRecord();
    symlinkSync(folder, join(parent, 'a'));
    symlinkSync(parent, join(folder, 'up'));
    const { code, stdout } = await brink(['recover', parent]);
    expect([code, stdout]).toEqual([0, `${join(folder, 'rows.parquet')}: 300 rows, 0 bytes of a torn batch lost\n`]);
    expect(record().state).toBe('recovered');
  });

  it('leaves to another that is at it what that is at, and says so', async () => {
    await leaveLog(15_000);
    writeRecord();
    const first = spawn(process.execPath, [join(import.meta.dirname, '../helpers/tableProcess.ts'), 'recover', folder]);
    const gone = new Promise((resolve) => first.once('close', resolve));
    while (!existsSync(join(folder, 'rows.parquet.tmp'))) await wait(2);
    const [result, ...others] = await recover(folder);
    expect(others).toEqual([]);
    expect(result).toMatchObject({ problem: null, leftTo: first.pid });
    expect(record().state).toBe('running');
    expect(await gone).toBe(0);
    expect(record().state).toBe('recovered');
    expect(readdirSync(folder)).toEqual(['rows.parquet', 'run.json']);
    expect(await recover(folder)).toEqual([]);
  }, 60_000);

  it.each(['run.json', 'rows.arrows'])('on the command line too, where that holds the lock of %s', async (file) => {
    await leaveLog(300);
    if (file === 'run.json') writeRecord();
    const lock = FileLock.take(join(folder, file)) as FileLock;
    const { code, stdout } = await brink(['recover', folder]);
    lock.release();
    const log = join(folder, 'rows.arrows.part');
    expect([code, stdout]).toEqual([0, `${log}: process ${process.pid} is recovering it, and it is left to that\n`]);
    expect(existsSync(log)).toBe(true);
  });

  it('four times at once, does it once', async () => {
    await leaveLog(3000);
    writeRecord();
    const all = await Promise.all([1, 2, 3, 4].map(() => brink(['recover', folder])));
    expect(all.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(all.filter(({ stdout }) => stdout.includes('3000 rows'))).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(['rows.parquet', 'run.json']);
    expect(record().state).toBe('recovered');
  }, 60_000);

  it('leaves the log of a run alone whose table it would be, where that is alive', async () => {
    const log = new TableLog(smallTable, join(folder, 'rows'), { format: 'parquet', metadata: {} });
    for (const row of hostileRows(1, 300, smallTable)) log.append(row);
    writeRecord();
    expect((await recover(parent))[0]!.problem).toContain(`is being written by process ${process.pid}`);
    expect(record().state).toBe('running');
    log.finish();
  });
});
