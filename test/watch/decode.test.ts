import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openToRead } from '../../src/files/openToRead.ts';
import { scanStream } from '../../src/files/scanStream.ts';
import { finishParquet } from '../../src/tables/finishParquet.ts';
import { TableLog } from '../../src/tables/TableLog.ts';
import { ArrowParts, type Decoded, type Rows, readParquet, type Wanted } from '../../src/watch/page/decode.ts';
import { hostileRows, hostileTable } from '../helpers/hostileRows.ts';

const COUNT = 700;
let folder: string;
let log: Buffer;
/** Where each message of the log ends. */
let ends: readonly number[];
let parquet: Uint8Array;
const rows = hostileRows(5, COUNT);
const wanted: readonly Wanted[] = Object.entries(hostileTable.columns).map(([name, { type, list }]) => ({
  name,
  kind: list ? 'lists' : type === 'utf8' ? 'texts' : 'numbers',
}));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'brink-decode-'));
  const path = join(folder, 'hostile');
  const table = new TableLog(hostileTable, path, { format: 'parquet', metadata: {} });
  for (const row of rows) table.append(row);
  const whole = table.finish();
  log = readFileSync(whole);
  const { schema, batches } = scanStream(openToRead('test', whole));
  ends = [schema!.end, ...batches.map(({ end }) => end)];
  await finishParquet('test', whole, `${path}.parquet`);
  // A copy: a Buffer shares its memory.
  parquet = Uint8Array.from(readFileSync(`${path}.parquet`));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A cell as it was decoded. */
function cellAt(column: Decoded, row: number): unknown {
  if (column.kind === 'numbers') return column.nulls?.[row] === 1 ? null : column.values[row];
  return column.values[row];
}
/** A cell as the page has it: truths are numbers. */
const expected = (value: unknown): unknown =>
  typeof value === 'boolean'
    ? Number(value)
    : Array.isArray(value) || ArrayBuffer.isView(value)
      ? Array.from(value as ArrayLike<unknown>, expected)
      : value;

function expectRows(found: Rows, from = 0): void {
  for (const { name } of wanted) {
    const column = found.columns[name]!;
    for (let row = 0; row < found.rows; row++) {
      const cell = cellAt(column, row);
      expect(Array.isArray(cell) ? cell.map(expected) : cell, `${name}, row ${from + row}`).toStrictEqual(
        expected(rows[from + row]![name]),
      );
    }
  }
}

describe('the page', () => {
  it('decodes a log that comes in parts as it was written, every type, nulls and lists', () => {
    const parts = new ArrowParts(log.subarray(0, ends[0]));
    expect(ends.length).toBeGreaterThan(3);
    let from = 0;
    for (let k = 1; k < ends.length; k++) {
      const found = parts.append(log.subarray(ends[k - 1], ends[k]), wanted);
      expectRows(found, from);
      from += found.rows;
    }
    expect(from).toBe(COUNT);
    expectRows(parts.read(wanted));
    // Columns that are wanted later come of all parts.
    expect(parts.read([wanted[1]!])).toMatchObject({ rows: COUNT });
  });

  it('decodes a Parquet file, and reads no column that is not wanted', async () => {
    let bytes = 0;
    const file = {
      byteLength: parquet.length,
      slice: (start: number, end = parquet.length) => {
        bytes += end - start;
        return parquet.slice(start, end).buffer as ArrayBuffer;
      },
    };
    expectRows(await readParquet(file, wanted));
    const all = bytes;
    bytes = 0;
    await readParquet(file, []);
    const header = bytes;
    bytes = 0;
    expect((await readParquet(file, [wanted[0]!])).rows).toBe(COUNT);
    expect(bytes - header).toBeLessThan(0.1 * (all - header));
  });
});
