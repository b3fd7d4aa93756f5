import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concat, from, lastValueFrom, throwError } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bool, defineTable, float64, int32, list, nullable, type Row, utf8 } from '../../src/core/Table.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { recover } from '../../src/runs/recover.ts';
import { run } from '../../src/runs/run.ts';
import { TableLog } from '../../src/tables/TableLog.ts';
import { toCsv } from '../../src/tables/toCsv.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { pythonOrSkip } from '../helpers/python.ts';
import { regression } from '../helpers/regression.ts';

const text = { symbol: '', description: 'Something.' };
const table = defineTable({
  name: 'cells',
  description: 'Cells of each kind.',
  key: ['step'],
  columns: {
    step: int32(text),
    value: float64(text),
    maybe: nullable(float64(text)),
    is: bool(text),
    said: utf8(text),
    many: list(float64(text)),
  },
});
const rows: Row<typeof table>[] = [
  { step: 0, value: 0.1, maybe: null, is: true, said: 'plain', many: [1, 2.5] },
  { step: 1, value: -0, maybe: 1e-300, is: false, said: 'a "b", c\nd', many: [] },
  { step: 2, value: Number.NaN, maybe: Number.POSITIVE_INFINITY, is: true, said: '', many: [Number.NaN] },
  { step: 3, value: 5e-324, maybe: Number.NEGATIVE_INFINITY, is: true, said: 'λ₁', many: [1.7976931348623157e308] },
];
const TEXT = `step,value,maybe,is,said,many
0,0.1,,true,plain,"[1,2.5]"
1,-0.0,1e-300,false,"a ""b"", c
d","[]"
2,NaN,inf,true,"","[NaN]"
3,5e-324,-inf,true,λ₁,"[1.7976931348623157e+308]"
`;

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-csv-'));
  path = join(folder, 'cells.csv');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('toCsv', () => {
  it('writes cells of each kind, and leaves nothing else', async () => {
    await lastValueFrom(from(rows).pipe(toCsv(table, { path })));
    expect(readFileSync(path, 'utf8')).toBe(TEXT);
    expect(readdirSync(folder)).toEqual(['cells.csv']);
    await expect(lastValueFrom(from(rows).pipe(toCsv(table, { path })))).rejects.toThrow('is there already');
    await lastValueFrom(from(rows.slice(0, 1)).pipe(toCsv(table, { path, overwrite: true })));
    expect(readFileSync(path, 'utf8')).toBe(TEXT.split('\n').slice(0, 2).join('\n').concat('\n'));
  });

  it('passes an error on when the file is whole', async () => {
    const broken = concat(
      from(rows),
      throwError(() => new Error('diverged')),
    );
    await expect(lastValueFrom(broken.pipe(toCsv(table, { path })))).rejects.toThrow('diverged');
    expect(readFileSync(path, 'utf8')).toBe(TEXT);
  });

  it('is finished by recover where the process was killed', async () => {
    const log = new TableLog(table, join(folder, 'cells'), { format: 'csv', metadata: {} });
    for (const row of rows) log.append(row);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(readdirSync(folder)).toEqual(['cells.arrows.part']);
    await expect(lastValueFrom(from(rows).pipe(toCsv(table, { path })))).rejects.toThrow(/`brink recover .*` finishes/);
    log.finish();
    expect(await recover(folder)).toMatchObject([{ path, rows: 4, problem: null }]);
    expect(readFileSync(path, 'utf8')).toBe(TEXT);
    expect(existsSync(join(folder, 'cells.arrows'))).toBe(false);
  });

  it('has the name of its branch in a run', async () => {
    const steps = gradientDescent(regression(), { learningRate: 0.1, steps: 3 });
    await run(
      steps,
      { loss: (s) => s.pipe(trainingLoss(), toCsv()) },
      { directory: join(folder, 'run'), progress: false },
    );
    const lines = readFileSync(join(folder, 'run', 'loss.csv'), 'utf8')
      .trimEnd()
      .split('\n');
    expect(lines[0]).toBe(Object.keys(trainingLoss.table.columns).join(','));
    expect(lines).toHaveLength(5);
  });

  it('is read by pandas, polars and DuckDB', { timeout: 60_000 }, async (context) => {
    const python = pythonOrSkip(context);
    await lastValueFrom(from(rows).pipe(toCsv(table, { path })));
    const code = `
import json, sys, math, pandas, polars, duckdb
path = sys.argv[1]
text = lambda values: [repr(v) for v in values]
print(json.dumps([
  text(pandas.read_csv(path, float_precision='round_trip').value.tolist()),
  text(polars.read_csv(path)['value'].to_list()),
  text(v for (v,) in duckdb.sql(f"select value::double from read_csv('{path}')").fetchall()),
  pandas.read_csv(path).said.tolist()[:2],
  polars.read_csv(path)['is'].to_list(),
  polars.read_csv(path)['maybe'].to_list()[:2],
]))`;
    const found = JSON.parse(execFileSync(python, ['-c', code, path], { encoding: 'utf8' }));
    const values = ['0.1', '-0.0', 'nan', '5e-324'];
    const said = ['plain', 'a "b", c\nd'];
    expect(found).toEqual([values, values, values, said, [true, false, true, true], [null, 1e-300]]);
  });
});
