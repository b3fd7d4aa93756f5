import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { from, lastValueFrom } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recover } from '../../src/runs/recover.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { toArrow } from '../../src/tables/toArrow.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { canMount } from '../helpers/canMount.ts';
import { hostileRows, smallTable } from '../helpers/hostileRows.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-full-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const rows = hostileRows(1, 5000, smallTable);

/** What recovery finds, which must be the first rows, whole. */
async function recovered(path: string): Promise<number> {
  for (const { problem } of await recover(folder)) expect(problem).toBeNull();
  const found = await readTable(path);
  const steps = found.rows.map((row) => row.step);
  expect(steps).toEqual(steps.map((_, step) => step));
  expect(found.rows.map((row) => row.int32_list)).toEqual(rows.slice(0, steps.length).map((row) => row.int32_list));
  return steps.length;
}

/** What an error says was kept. */
const kept = (message: string) => Number(message.match(/The (\d+) rows/)?.[1]);

it.skipIf(process.platform !== 'linux')(
  'a disk that takes not one byte of a Parquet file is an error with the rows kept',
  async () => {
    const path = join(folder, 'rows.parquet');
    // What is written there finds no space left.
    symlinkSync('/dev/full', `${path}.tmp`);
    await expect(lastValueFrom(from(rows.slice(0, 10)).pipe(toParquet(smallTable, { path })))).rejects.toThrow(
      'ENOSPC',
    );
    expect(readdirSync(folder)).not.toContain('rows.parquet');
    expect(await recovered(path)).toBe(10);
  },
);

describe.skipIf(process.platform === 'win32')('a process whose files may not grow', () => {
  it('says so, with how many rows are kept, and they are', async () => {
    const program = join(import.meta.dirname, '../helpers/tableProcess.ts');
    const command = `ulimit -f 100; exec "${process.execPath}" "${program}" write "${join(folder, 'rows')}"`;
    const child = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
    expect(child.status).toBe(1);
    expect(child.stderr).toMatch(/BrinkError: TableLog: .*rows\.arrows\.part cannot be written: EFBIG.*make room/);
    const told = Number(child.stdout.trim().split('\n').at(-1));
    expect(told).toBeGreaterThan(0);
    expect(kept(child.stderr)).toBe(told);
    const [result] = await recover(folder);
    expect(result).toMatchObject({ rows: told, bytesLost: 0, problem: null });
    expect((await readTable(result!.path)).rows).toHaveLength(told);
  });
});

describe.skipIf(!canMount())('a full disk', () => {
  const mount = (size: number) => execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]);
  const makeRoom = () => execFileSync('mount', ['-o', 'remount,size=64m', folder]);
  afterEach(() => {
    spawnSync('umount', ['-l', folder]);
  });

  it.each([
    ['parquet', toParquet],
    ['arrows', toArrow],
  ] as const)('errors the stream of rows to %s, which are kept as far as they were written', async (ending, sink) => {
    mount(128 * 1024);
    const path = join(folder, `rows.${ending}`);
    const error: Error = await lastValueFrom(from(rows).pipe(sink(smallTable, { path }))).catch((thrown) => thrown);
    expect(error.message).toMatch(/rows\.arrows\.part cannot be written: ENOSPC.*make room, then `brink recover/);
    const told = kept(error.message);
    expect(told).toBeGreaterThan(0);
    makeRoom();
    expect(await recovered(path)).toBe(told);
    expect(readdirSync(folder)).toEqual([`rows.${ending}`]);
  });

  it('that takes the rows but not their Parquet file keeps the log, until there is room', async () => {
    const measured = mkdtempSync(join(tmpdir(), 'brink-measured-'));
    const few = rows.slice(0, 1000);
    await lastValueFrom(from(few).pipe(toArrow(smallTable, { path: join(measured, 'rows.arrows') })));
    const { size } = statSync(join(measured, 'rows.arrows'));
    rmSync(measured, { recursive: true });
    mount(Math.ceil(size / 4096) * 4096 + 8192);
    const path = join(folder, 'rows.parquet');
    const kept = 'The 1000 rows are kept in .*rows\\.arrows; `brink recover';
    await expect(lastValueFrom(from(few).pipe(toParquet(smallTable, { path })))).rejects.toThrow(
      new RegExp(`^toParquet: .*rows\\.parquet cannot be written: ENOSPC.* ${kept}`),
    );
    expect(readdirSync(folder)).toEqual(['rows.arrows']);
    makeRoom();
    expect(await recovered(path)).toBe(1000);
    expect(readdirSync(folder)).toEqual(['rows.parquet']);
  });
});
