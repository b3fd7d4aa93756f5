import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BrinkError } from '../../src/core/errors.ts';
import { bool, defineTable, float64, int32, list, nullable, type Row, type Table, utf8 } from '../../src/core/Table.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { TableLog } from '../../src/tables/TableLog.ts';

const text = { symbol: 'x', description: 'A column.' };
const table = defineTable({
  name: 'every',
  description: 'A column of each type.',
  key: ['step', 'run'],
  columns: {
    step: int32(text),
    run: utf8(text),
    double: float64(text),
    flag: bool(text),
    doubles: list(float64(text)),
    counts: nullable(list(int32(text))),
    maybe: nullable(float64(text)),
  },
});
const row = (more: object = {}): Row<typeof table> => ({
  step: 3,
  run: 'a',
  double: 0.1,
  flag: true,
  doubles: [1, 2],
  counts: null,
  maybe: null,
  ...more,
});

let folder: string;
let stem: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-log-'));
  stem = join(folder, 'every');
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});
const open = <T extends Table>(of: T) => new TableLog(of, stem, { format: 'arrow', metadata: {} });

describe('a row that does not fit', () => {
  it.each<[string, object, RegExp]>([
    ['lacks a column', { double: undefined }, /'double'/],
    ['has a column too many', { eigenvalue: 2 }, /'eigenvalue'.*not declared/],
    ['has a column that every object inherits', { toString: 2 }, /'toString'.*not declared/],
    ['has text for a number', { double: '0.1' }, /'double' is .0\.1., not a number/],
    ['has null where it may not be', { double: null }, /'double' is null/],
    ['has a null list where it may not be', { doubles: null }, /'doubles' is null/],
    ['has half an integer', { step: 1.5 }, /'step' is 1\.5, not a 32-bit integer/],
    ['has an integer of 33 bits', { step: 2 ** 31 }, /'step' is 2147483648, not a 32-bit integer/],
    ['has −0 for an integer, whose sign would be lost', { step: -0 }, /'step' is -0, not/],
    ['has NaN for an integer', { step: Number.NaN }, /'step' is NaN, not/],
    ['has a bigint for a number', { double: 1n }, /'double' is 1n, not a number/],
    ['has a Date for a number', { double: new Date(0) }, /'double' is .*1970.*, not a number/],
    ['has 1 for true', { flag: 1 }, /'flag' is 1, not true or false/],
    ['has half a surrogate pair', { run: '\uD800' }, /'run' is .*ud800.*, not well-formed text/i],
    ['has a number for a list', { doubles: 1 }, /'doubles' is 1, not a list/],
    ['has text for a list', { doubles: '12' }, /'doubles' is .12., not a list/],
    ['has null in a list', { doubles: [1, null] }, /'doubles' has null at place 1/],
    ['has a hole in a list', { doubles: new Array(1) }, /'doubles' has undefined at place 0/],
    ['has half an integer in a list', { counts: Float64Array.of(1, 0.5) }, /'counts' has 0\.5 at place 1.*32-bit/],
  ])('that %s is refused by table, column, value and key, and spoils nothing', async (_, wrong, says) => {
    const log = open<Table>(table);
    log.append(row({ step: 0 }));
    let error: unknown;
    try {
      log.append(row(wrong));
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(BrinkError);
    expect((error as Error).message).toMatch(says);
    expect((error as Error).message).toMatch(/^TableLog: .*step .*run .*the table 'every'/);
    log.append(row({ step: 1 }));
    const { rows } = await readTable(log.finish(), table);
    expect(rows).toEqual([row({ step: 0 }), row({ step: 1 })]);
  });

  it.each<[string, Partial<Table>, string]>([
    ['no columns', { columns: {}, key: [] }, 'has no columns'],
    ['a column like a number', { columns: { 10: int32(text) }, key: [] }, 'a column named "10"'],
    ['a column with a comma', { columns: { 'a,b': int32(text) }, key: [] }, 'a column named "a,b"'],
    ['columns that differ by case', { columns: { h: int32(text), H: int32(text) }, key: [] }, "columns 'h' and 'H'"],
    ['a key that is no column', { key: ['epoch'] }, "names 'epoch'"],
  ])('is no matter where the table itself has %s: no file is made', (_, wrong, says) => {
    expect(() => open({ ...table, ...wrong } as Table)).toThrow(says);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('a log', () => {
  it('keeps a row as it was when it was added, though its lists are used again', async () => {
    const log = open(table);
    const doubles = new Float64Array(2);
    for (let step = 0; step < 600; step++) {
      doubles.fill(step);
      log.append(row({ step, doubles }));
    }
    doubles.fill(-1);
    const { rows } = await readTable(log.finish(), table);
    expect(rows.map((r) => [r.step, ...r.doubles])).toEqual(rows.map((_, step) => [step, step, step]));
    expect(rows).toHaveLength(600);
  });

  it('writes 256 rows at once, and fewer at a pause where that is not too often, or after 250 ms', async () => {
    vi.useFakeTimers();
    const log = open(table);
    let step = 0;
    const add = (count: number) => {
      for (let k = 0; k < count; k++) log.append(row({ step: step++ }));
      return log.rows;
    };
    expect([add(255), add(1), add(255), add(2)]).toEqual([0, 256, 256, 512]);
    // A pause: no timer can run in a long pass that may follow.
    await null;
    expect(log.rows).toBe(513);
    for (let k = 0; k < 20; k++) {
      add(1);
      await null;
    }
    const told = log.rows;
    expect(told).toBeLessThan(513 + 8);
    vi.advanceTimersByTime(250);
    expect(log.rows).toBe(step);
    vi.setSystemTime(Date.now() + 4000);
    for (let k = 0; k < 8; k++) {
      add(3);
      await null;
      expect(log.rows).toBe(step);
    }
    log.finish();
  });

  it.each<[string, object[], string]>([
    ['that repeats at once', [{}, {}], 'has a row already with step 3, run "a"'],
    [
      'of a source that begins again',
      [{ step: 1 }, { step: 2 }, { step: 1 }],
      'has a row already with step 1, run "a"',
    ],
  ])('refuses a key %s, and goes on', async (_, given, message) => {
    const log = open(table);
    for (const more of given.slice(0, -1)) log.append(row(more));
    expect(() => log.append(row(given.at(-1)))).toThrow(`TableLog: the table 'every' ${message}`);
    log.append(row({ ...given.at(-1), run: 'b' }));
    expect((await readTable(log.finish())).rows).toHaveLength(given.length);
  });

  it('keyed by the step alone takes steps in any order for a while, and no step twice ever', () => {
    const single = defineTable({ name: 'every', description: 'x', key: ['step'], columns: { step: int32(text) } });
    const log = open(single);
    for (const step of [5, 3, 4]) log.append({ step });
    expect(() => log.append({ step: 3 })).toThrow('has a row already with step 3');
    for (let step = 6; step < 200_000; step++) log.append({ step });
    expect(() => log.append({ step: 4 })).toThrow(/is past step \d+, and a row came with step 4/);
    log.append({ step: 200_000 });
    log.finish();
  });

  it('has its name only when it is finished, and takes no row then', () => {
    const log = open(table);
    expect(readdirSync(folder)).toEqual(['every.arrows.part']);
    expect(log.finish()).toBe(`${stem}.arrows`);
    expect(log.finish()).toBe(`${stem}.arrows`);
    expect(readdirSync(folder)).toEqual(['every.arrows']);
    expect(() => log.append(row())).toThrow("the table 'every' is finished");
  });

  it('refuses a name under which another is open', () => {
    const log = open(table);
    log.append(row());
    expect(() => open(table)).toThrow(/every\.arrows\.part is there already.*`brink recover /);
    log.finish();
  });
});

describe('readTable', () => {
  const write = () => {
    const log = open(table);
    log.append(row());
    return log.finish();
  };

  it('refuses rows of another table than the one that is asked for', async () => {
    const path = write();
    const { step, ...others } = table.columns;
    const expected = /^readTable: .*every\.arrows holds the table 'every' with the columns step, run/;
    await expect(readTable(path, { ...table, columns: others, key: ['run'] })).rejects.toThrow(expected);
    await expect(readTable(path, { ...table, columns: { ...others, step } })).rejects.toThrow(expected);
    const wider = { ...table, columns: { ...table.columns, double: nullable(float64(text)) } };
    await expect(readTable(path, wider)).rejects.toThrow(expected);
    const reworded = { ...table, columns: { ...table.columns, step: int32({ ...text, description: 'Else.' }) } };
    expect((await readTable(path, reworded)).rows).toHaveLength(1);
  });

  it('refuses a file of another kind', async () => {
    await expect(readTable(join(folder, 'rows.csv'))).rejects.toThrow(
      /^readTable: the path is '.*rows\.csv'\. It must end in/,
    );
  });
});
