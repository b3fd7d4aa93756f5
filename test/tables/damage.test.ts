import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openArrowFile } from '../../src/files/openArrowFile.ts';
import { generator } from '../../src/linalg/random.ts';
import { describeRun } from '../../src/runs/describeRun.ts';
import { recover } from '../../src/runs/recover.ts';
import { finishParquet } from '../../src/tables/finishParquet.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { TableLog } from '../../src/tables/TableLog.ts';
import { hostileRows, smallTable } from '../helpers/hostileRows.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-damage-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const ROWS = 600;
const rows = hostileRows(1, ROWS, smallTable);

/** A table with those rows. */
async function write(format: 'arrow' | 'parquet'): Promise<string> {
  const stem = join(folder, 'rows');
  const log = new TableLog(smallTable, stem, { format, metadata: { note: 'café' } });
  for (const row of rows) log.append(row);
  const whole = log.finish();
  if (format === 'arrow') return whole;
  await finishParquet('test', whole, `${stem}.parquet`);
  return `${stem}.parquet`;
}

const random = generator(5);
const between = (least: number, most: number) => uniformInt(random, least, most);
/** A copy with a bit or five flipped, a page of zeros, or its end cut off. */
function spoil(whole: Buffer, kind: number): Buffer {
  const copy = Buffer.from(whole);
  const at = between(0, whole.length - 1);
  const flips = kind === 0 ? 1 : kind === 3 ? 5 : 0;
  for (let k = 0; k < flips; k++) copy[between(0, whole.length - 1)]! ^= 1 << between(0, 7);
  if (kind === 1) copy.fill(0, at, Math.min(whole.length, at + between(1, 4096)));
  return kind === 2 ? copy.subarray(0, at) : copy;
}

describe.each(['arrow', 'parquet'] as const)('damage at random to a table in %s', (format) => {
  it('is an error with the name of the file, or leaves rows as they were', async () => {
    const path = await write(format);
    const whole = readFileSync(path);
    const { metadata } = await readTable(path);
    let errors = 0;
    for (let round = 0; round < 200; round++) {
      writeFileSync(path, spoil(whole, round % 4));
      const found = await readTable(path).catch((error: Error) => error.message);
      if (typeof found === 'string') {
        expect(found, `round ${round}`).toMatch(/^readTable: .*rows\.(arrows|parquet)/);
        errors++;
      } else {
        expect(found.rows, `round ${round}`).toEqual(rows.slice(0, found.rows.length));
        expect(found.metadata).toEqual(metadata);
        // Only the end of an Arrow stream may be taken for what a process that was stopped left.
        if (format === 'parquet' || round % 2 === 0)
          expect(found.rows.length % ROWS === 0 || round % 4 === 2).toBe(true);
      }
    }
    expect(errors).toBeGreaterThan(100);
  }, 60_000);
});

it('damage at random to a log is told by recover, or leaves rows as they were', async () => {
  const path = await write('arrow');
  const whole = readFileSync(path).subarray(0, -8);
  rmSync(path);
  let problems = 0;
  for (let round = 0; round < 200; round++) {
    const log = join(folder, 'log.arrows.part');
    writeFileSync(log, spoil(whole, round % 4));
    const before = readFileSync(log);
    const [result] = await recover(folder);
    if (result!.problem !== null) {
      problems++;
      expect(result!.problem, `round ${round}`).toMatch(/^recover: .*log\.arrows/);
      expect(readFileSync(log).equals(before)).toBe(true);
      rmSync(log);
    } else {
      const found = await readTable(join(folder, 'log.arrows'));
      expect(found.rows, `round ${round}`).toEqual(rows.slice(0, found.rows.length));
      rmSync(join(folder, 'log.arrows'));
    }
  }
  expect(problems).toBeGreaterThan(80);
}, 60_000);

describe('a batch that is missing, there twice or in another place', () => {
  it.each([
    ['missing', [0, 2], 256],
    ['there twice', [0, 1, 1, 2], 512],
    ['in another place', [1, 0, 2], 0],
    ['in the place of another', [0, 0, 2], 256],
  ] as const)('is an error: %s', async (_, order, before) => {
    const path = await write('arrow');
    const whole = readFileSync(path);
    const places = openArrowFile('test', path, '', ({ batches, close }) => {
      close();
      return batches;
    });
    expect(places).toHaveLength(3);
    const moved = order.map((k) => whole.subarray(places[k]!.start, places[k]!.end));
    writeFileSync(path, Buffer.concat([whole.subarray(0, places[0]!.start), ...moved, whole.subarray(-8)]));
    await expect(readTable(path)).rejects.toThrow(
      new RegExp(
        `^readTable: what follows row ${before} of .* is damaged: the message at byte \\d+ belongs to another`,
      ),
    );
  });
});

it('other readers read what is checked: its key-values are in the way of none', async () => {
  const path = await write('arrow');
  expect(tableFromIPC(readFileSync(path)).numRows).toBe(ROWS);
  expect(readFileSync(path).includes('\x01'.repeat(8))).toBe(false);
  const parquet = await write('parquet');
  expect(readFileSync(parquet).includes('\x01'.repeat(8))).toBe(false);
});

it('show says which file is damaged, and goes on with the others', async () => {
  const path = await write('parquet');
  cpSync(path, join(folder, 'whole.parquet'));
  const bytes = readFileSync(path);
  bytes[100]! ^= 1;
  writeFileSync(path, bytes);
  const run = { state: 'finished', metadata: { source: null }, started: 'then', finished: 'now' };
  writeFileSync(join(folder, 'run.json'), JSON.stringify(run));
  const { tables } = await describeRun(folder);
  expect(tables).toMatchObject([
    { file: 'rows.parquet', state: 'unreadable', problem: expect.stringContaining('is damaged') },
    { file: 'whole.parquet', state: 'finished', rows: ROWS },
  ]);
});
