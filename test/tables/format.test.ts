import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recover } from '../../src/runs/recover.ts';
import { readTable } from '../../src/tables/readTable.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/tables');

it.each(['every.parquet', 'every.arrows', 'checked.parquet', 'checked.arrows'])(
  'the table %s reads as it did when it was written',
  async (file) => {
    const expected = JSON.parse(readFileSync(join(fixtures, 'every.json'), 'utf8'));
    expect(await readTable(join(fixtures, file))).toEqual(expected);
  },
);

describe.each(['float32', 'int64', 'timestamp'])('a table with a column of the type %s, which is no more', (type) => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'brink-format-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it.each(['parquet', 'arrows'])('is refused in a sentence: .%s', async (ending) => {
    const path = join(fixtures, `${type}.${ending}`);
    await expect(readTable(path)).rejects.toThrow(
      `readTable: ${path} has the column 'cell' of the type ${type}, which is none of float64, int32, bool, utf8: read`,
    );
  });

  it.each(['arrows', 'arrows.part'])('is left as it is by recover, which tells why: .%s', async (ending) => {
    const path = join(folder, `rows.${ending}`);
    copyFileSync(join(fixtures, `${type}.arrows`), path);
    const before = readFileSync(path);
    const [result, ...others] = await recover(folder);
    expect(others).toEqual([]);
    expect(result).toMatchObject({
      path,
      problem: expect.stringContaining(`has the column 'cell' of the type ${type}`),
    });
    expect(readdirSync(folder)).toEqual([`rows.${ending}`]);
    expect(readFileSync(path)).toEqual(before);
  });
});
