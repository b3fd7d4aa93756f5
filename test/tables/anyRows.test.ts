import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Column, ColumnType, Row, Table } from '../../src/core/Table.ts';
import { finishParquet } from '../../src/tables/finishParquet.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { TableLog } from '../../src/tables/TableLog.ts';
import { cellText } from '../helpers/hostileRows.ts';

const SCALARS: Record<ColumnType, fc.Arbitrary<unknown>> = {
  float64: fc.double(),
  int32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  bool: fc.boolean(),
  utf8: fc.string({ unit: 'binary' }),
};

const column: fc.Arbitrary<Column> = fc.record({
  type: fc.constantFrom(...(Object.keys(SCALARS) as ColumnType[])),
  list: fc.boolean(),
  nullable: fc.boolean(),
  unit: fc.string(),
  symbol: fc.string(),
  description: fc.string(),
});
const cell = ({ type, list, nullable }: Column) => {
  const value = list ? fc.array(SCALARS[type], { maxLength: 5 }) : SCALARS[type];
  return nullable ? fc.option(value, { freq: 3 }) : value;
};
const name = fc.oneof(
  fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/),
  fc.constantFrom('constructor', 'toString', 'list', 'element', 'length'),
);

/** Any declaration that may be written, any rows that it allows, any metadata. */
const written = fc.dictionary(name, column, { minKeys: 1, maxKeys: 6, noNullPrototype: true }).chain((columns) =>
  fc.record({
    columns: fc.constant(columns),
    rows: fc.array(
      fc.record(Object.fromEntries(Object.entries(columns).map(([key, c]) => [key, cell(c)])), {
        noNullPrototype: true,
      }),
      { maxLength: 40 },
    ),
    // What JSON can carry: the sign of −0 it cannot.
    metadata: fc.dictionary(fc.stringMatching(/^[a-z ]{1,9}$/), fc.jsonValue()),
  }),
);

it('carries any rows that a declaration allows through Arrow and Parquet and back', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'brink-any-'));
  let tables = 0;
  try {
    await fc.assert(
      fc.asyncProperty(written, async ({ columns, rows, metadata }) => {
        const table: Table = { name: 'any', description: 'Any rows.', key: [], columns };
        const said = JSON.parse(JSON.stringify(metadata));
        const texts = (found: readonly Row<Table>[]) =>
          found.map((row) => Object.entries(columns).map(([key, { type }]) => cellText(type, row[key])));
        const stem = join(folder, String(tables++));
        const log = new TableLog(table, stem, { format: 'parquet', metadata: said });
        for (const row of rows) log.append(row as Row<Table>);
        const arrows = log.finish();
        const whole = await readTable(arrows);
        const parquet = `${stem}.parquet`;
        expect(await finishParquet('test', arrows, parquet)).toBe(rows.length);
        for (const found of [whole, await readTable(parquet)]) {
          expect(found.table).toEqual(table);
          expect(found.metadata).toEqual(said);
          expect(texts(found.rows)).toEqual(texts(rows as Row<Table>[]));
          for (const row of found.rows) expect(Object.keys(row)).toEqual(Object.keys(columns));
        }
      }),
      { numRuns: 100, seed: 1 },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
