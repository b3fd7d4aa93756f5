import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance, DuckDBListValue, type DuckDBValue } from '@duckdb/node-api';
import { from, lastValueFrom } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Column, Row, Table } from '../../src/core/Table.ts';
import { VERSIONS } from '../../src/files/versions.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { toArrow } from '../../src/tables/toArrow.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { type CellText, cellText, hostileRows, hostileTable } from '../helpers/hostileRows.ts';
import { pythonOrSkip } from '../helpers/python.ts';

const ROWS = 20_000;
const columns = Object.entries<Column>(hostileTable.columns);
const metadata = { seed: 7, text: 'λ "👩‍🔬"', nested: { list: [1, null, true] } };

let folder: string;
let parquet: string;
let arrows: string;
let rows: Row<Table>[];
/** The first rows at which cells differ, with what was found there and what was wanted. */
const differences = (found: readonly CellText[], wanted: readonly CellText[]) =>
  Array.from({ length: Math.max(found.length, wanted.length) }, (_, i) => [i, found[i], wanted[i]])
    .filter(([, f, w]) => JSON.stringify(f) !== JSON.stringify(w))
    .slice(0, 3);
const textsOf = (name: string, column: Column, found: readonly Row<Table>[]) =>
  found.map((row) => cellText(column.type, row[name]));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'brink-tables-'));
  parquet = join(folder, 'hostile.parquet');
  arrows = join(folder, 'hostile.arrows');
  rows = hostileRows(1, ROWS);
  // One after the other: both would keep their log under the same name.
  await lastValueFrom(from(rows).pipe(toParquet(hostileTable, { path: parquet, metadata })));
  await lastValueFrom(from(rows).pipe(toArrow(hostileTable, { path: arrows, metadata })));
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a table of 20,000 rows of hard values', () => {
  it('leaves nothing behind but itself', () => {
    expect(readdirSync(folder).sort()).toEqual(['hostile.arrows', 'hostile.parquet']);
  });

  it.each(['parquet', 'arrows'])(
    'is read back from %s as it was, bit by bit, with its declaration',
    async (ending) => {
      const found = await readTable(join(folder, `hostile.${ending}`));
      expect(found.metadata).toEqual({ ...VERSIONS, source: null, ...metadata });
      expect(found.table).toEqual(hostileTable);
      for (const [name, column] of columns) {
        expect(differences(textsOf(name, column, found.rows), textsOf(name, column, rows)), name).toEqual([]);
      }
    },
    60_000,
  );

  it('is the same to DuckDB, which also finds rows by value', async () => {
    const connection = await (await DuckDBInstance.create()).connect();
    const plain = (value: DuckDBValue) => (value instanceof DuckDBListValue ? value.items : value);
    // The client for Node drops a byte order mark that DuckDB itself keeps (in Python it is there).
    const unmarked = (text: CellText): CellText =>
      Array.isArray(text) ? text.map(unmarked) : (text?.replace(/^\uFEFF/, '') ?? null);
    for (const [name, column] of columns) {
      const reader = await connection.runAndReadAll(`SELECT ${name} FROM '${parquet}'`);
      const cells = reader.getColumns()[0]!.map((value) => cellText(column.type, plain(value)));
      expect(differences(cells, textsOf(name, column, rows).map(unmarked)), name).toEqual([]);
    }
    const count = async (where: string) =>
      Number((await connection.runAndReadAll(`SELECT count(*) FROM '${parquet}' WHERE ${where}`)).getRows()[0]![0]);
    const having = (holds: (row: Row<Table>) => boolean) => rows.filter(holds).length;
    expect(await count("utf8 = '𝔏𐍈'")).toBe(having((row) => row.utf8 === '𝔏𐍈'));
    expect(await count('isnan(float64)')).toBe(having((row) => Number.isNaN(row.float64)));
    expect(await count('int32 = -2147483648')).toBe(having((row) => row.int32 === -(2 ** 31)));
    expect(await count('float64_list IS NULL')).toBe(having((row) => row.float64_list === null));
  }, 60_000);

  it('is the same to pyarrow, polars and DuckDB in Python', (context) => {
    const python = pythonOrSkip(context);
    const expected = join(folder, 'expected.json');
    writeFileSync(
      expected,
      JSON.stringify({
        columns: Object.fromEntries(columns.map(([name, c]) => [name, [c.type, textsOf(name, c, rows)]])),
        units: Object.fromEntries(columns.map(([name, { unit }]) => [name, unit])),
      }),
    );
    const script = join(import.meta.dirname, '../helpers/readWithPython.py');
    const child = spawnSync(python, [script, expected, parquet, arrows], { encoding: 'utf8' });
    expect(child.error).toBeUndefined();
    expect({ status: child.status, said: child.stdout.trim().split('\n'), stderr: child.stderr }).toEqual({
      status: 0,
      said: [
        'with_pyarrow parquet: same',
        'with_polars parquet: same',
        'with_duckdb parquet: same',
        'with_pyarrow arrows: same',
        'with_polars arrows: same',
      ],
      stderr: '',
    });
  }, 60_000);
});

describe('a table without rows', () => {
  it.each([
    ['parquet', toParquet],
    ['arrows', toArrow],
  ] as const)('is a whole %s file', async (ending, sink) => {
    const path = join(folder, `empty.${ending}`);
    await lastValueFrom(from<Row<Table>[]>([]).pipe(sink(hostileTable, { path })), { defaultValue: null });
    expect((await readTable(path)).rows).toEqual([]);
    if (ending === 'arrows') return;
    const connection = await (await DuckDBInstance.create()).connect();
    expect(
      (await connection.runAndReadAll(`DESCRIBE SELECT * FROM '${path}'`)).getRows().map(([name]) => name),
    ).toEqual(Object.keys(hostileTable.columns));
  });
});
