import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TableDataOptions, tableData } from '../../src/datasets/tableData.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/data');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-table-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const packed = ['snappy', 'gzip', 'zstd', 'brotli', 'none'].map((codec) => `table-${codec}.parquet`);

describe('tableData', () => {
  it.each(['table.csv', ...packed])('reads the same of every file that pandas writes: %s', async (file) => {
    const path = join(fixtures, file);
    const { train, classes, inputShape } = await tableData(path, { label: 'kind', inputs: ['count', 'width'] });
    const counts = [3, 1, 4, 1, 5, 9];
    expect([...train.inputs]).toEqual(counts.flatMap((count, i) => [count, Math.fround((3 * i) / 7)]));
    expect([...train.labels!]).toEqual([2, 0, 1, 2, 0, 1]);
    expect({ classes, inputShape }).toEqual({ classes: ['ant', 'cät', 'dog'], inputShape: [2] });
  });

  it.each(['table.csv', 'table-snappy.parquet'])(
    'takes integers as names of classes, in their order: %s',
    async (file) => {
      const { train, classes } = await tableData(join(fixtures, file), { label: 'grade', inputs: ['width'] });
      expect([classes, [...train.labels!]]).toEqual([
        ['1', '2', '3'],
        [2, 0, 1, 2, 0, 1],
      ]);
      const path = write('many.csv', `x,y\n${[10, 9, 100, 9].map((y) => `1,${y}`).join('\n')}`);
      expect((await tableData(path, { label: 'y' })).classes).toEqual(['9', '10', '100']);
    },
  );

  it('takes 1.0 as the class 1, as a program writes it that once had a gap there', async () => {
    const path = write('whole.csv', 'x,y\n1,1\n2,0\n3,+2\n');
    write('floats.csv', 'x,y\n1,0.0\n2,1.0\n3,+2.\n');
    const { classes, test } = await tableData(path, { label: 'y', testFile: 'floats.csv' });
    expect([classes, [...test!.labels!]]).toEqual([
      ['0', '1', '+2'],
      [0, 1, 2],
    ]);
  });

  it('takes columns as targets, and all others as inputs', async () => {
    const path = write('regression.csv', 'a,y1,b,y2\n1,2,3,4\n-5,6e1,.7,8.\n');
    const { train, outputCount, classes } = await tableData(path, { targets: ['y2', 'y1'] });
    expect([[...train.inputs], [...train.targets]]).toEqual([
      [1, 3, -5, Math.fround(0.7)],
      [4, 2, 8, 60],
    ]);
    expect([outputCount, classes]).toEqual([2, null]);
  });

  it('takes lists of one length entry by entry', async () => {
    const path = join(fixtures, 'lists.parquet');
    const { train, inputShape } = await tableData(path, { label: 'kind', inputShape: [3, 1, 1] });
    expect(inputShape).toEqual([3, 1, 1]);
    expect([...train.inputs]).toEqual(Array.from({ length: 18 }, (_, k) => Math.fround(k / 7)));
  });

  it('reads quotes, line breaks in them, blanks, empty lines, a byte order mark and lines of Windows', async () => {
    const text = '\ufeff"x, the ""first""" , y\r\n1,"two\r\nlines"\r\n\r\n 2 ,b\r\n';
    const { train, classes } = await tableData(write('quotes.csv', text), { label: 'y', inputs: ['x, the "first"'] });
    expect([[...train.inputs], classes]).toEqual([
      [1, 2],
      ['b', 'two\r\nlines'],
    ]);
    const tabs = await tableData(write('tabs.tsv', 'x\ty\n1,5\ta\n'.replace('1,5', '15')), { label: 'y' });
    expect([...tabs.train.inputs]).toEqual([15]);
  });

  it('takes test examples from another file, whose classes count too', async () => {
    const path = write('train.csv', 'x,y\n1,a\n2,c\n3,a\n');
    write('test.csv', 'y,x\nb,4\nc,5\n');
    const { train, test, classes } = await tableData(path, { label: 'y', testFile: 'test.csv', normalize: 'all' });
    expect([classes, [...train.labels!], [...test!.labels!]]).toEqual([
      ['a', 'b', 'c'],
      [0, 2, 0],
      [1, 2],
    ]);
    expect(test!.inputs[0]).toBeCloseTo((4 - 2) / Math.sqrt(2 / 3), 6);
  });

  it.each<[string, string, TableDataOptions, string]>([
    ['a missing cell', 'x,y\n1,a\n,b\n', { label: 'y' }, ".csv, line 3, column 'x' is missing. Fill it in"],
    [
      'text for a number',
      'x,y\n1,a\n\ntwo,b\n',
      { label: 'y' },
      ".csv, line 4, column 'x' is 'two'. It must be a number",
    ],
    ['NaN', 'x,y\nNaN,a\n', { label: 'y' }, "line 2, column 'x' is 'NaN'."],
    ['hexadecimal', 'x,y\n0x10,a\n', { label: 'y' }, "line 2, column 'x' is '0x10'."],
    ['a number beyond float32', 'x,y\n1e39,a\n', { label: 'y' }, "line 2, column 'x' is '1e39'."],
    ['a missing label', 'x,y\n1,\n', { label: 'y' }, "line 2, column 'y' is ''. A label is"],
    [
      'a label between two',
      'x,y\n1,0.5\n',
      { label: 'y' },
      "line 2, column 'y' is '0.5'. A label is an integer or a name",
    ],
    ['a label that is NaN', 'x,y\n1,0\n2,nan\n', { label: 'y' }, "line 3, column 'y' is 'nan'. A label is"],
    ['an infinite label', 'x,y\n1,0\n2,-Infinity\n', { label: 'y' }, "line 3, column 'y' is '-Infinity'. A label is"],
    [
      // The mean of seven numbers 0.1 is not quite 0.1.
      'a column that is the same in every row',
      `a,b,y\n${Array.from({ length: 7 }, (_, k) => `0.1,${k},${k % 2}`).join('\n')}\n`,
      { label: 'y', normalize: 'each' },
      'entry 0 of the inputs is 0.10000000149011612 in every training example, so there is no scale.',
    ],
    ['a line that is too short', 'x,y\n1,a\n2\n', { label: 'y' }, 'line 3 of '],
    ['a line that is too long', 'x,y\n1,a,2\n', { label: 'y' }, ' has 3 cells, and its first line 2.'],
    ['a quote that does not end', 'x,y\n1,"a\n2,b\n', { label: 'y' }, "a quote in line 2 doesn't end"],
    ['text behind a quote', 'x,y\n1,"a"b\n', { label: 'y' }, "line 2 has 'b' behind a quote's end"],
    ['no header', '1,a\n2,b\n', { label: 'y' }, 'has the number 1 in its first line, which must name the columns'],
    ['two columns of a name', 'x,x\n1,2\n', { label: 'x' }, "has two columns 'x'. Rename one."],
    ['nothing', '', { label: 'x' }, 'is empty. Its first line names the columns.'],
    ['no rows', 'x,y\n', { label: 'y' }, 'has no rows. It needs one at least.'],
    ['an unknown label', 'x,y\n1,a\n', { label: 'z' }, "has no column 'z'. It has x, y."],
    ['an unknown input', 'x,y\n1,a\n', { label: 'y', inputs: ['z'] }, "has no column 'z'."],
    [
      'an input that is the label',
      'x,y\n1,a\n',
      { label: 'y', inputs: ['y'] },
      "'y' is an input, and what is to be predicted",
    ],
    ['no input', 'y\na\n', { label: 'y' }, 'has no column for inputs.'],
    ['neither label nor targets', 'x,y\n1,a\n', {}, 'there are neither label nor targets. Name one of them.'],
    ['both', 'x,y\n1,a\n', { label: 'y', targets: ['x'] }, 'there are both label and targets.'],
  ])('refuses %s, with line and column', async (name, text, options, message) => {
    await expect(tableData(write(`${name}.csv`, text), options)).rejects.toThrow(message);
  });

  it('refuses what is missing in Parquet, with row and column, and text there for a number', async () => {
    const path = join(fixtures, 'gap.parquet');
    await expect(tableData(path, { label: 'kind' })).rejects.toThrow(
      "row 3 (the first is 0), column 'count' is missing.",
    );
    const { train } = await tableData(path, { label: 'kind', inputs: ['width'] });
    expect(train.count).toBe(6);
    await expect(tableData(path, { label: 'grade' })).rejects.toThrow("column 'count' is missing");
    await expect(tableData(join(fixtures, 'table-none.parquet'), { label: 'grade' })).rejects.toThrow(
      "row 0 (the first is 0), column 'kind' is 'dog'. It must be a number",
    );
    await expect(tableData(write('none.parquet', 'PAR1'), { label: 'x' })).rejects.toThrow(
      "can't be read as Parquet: ",
    );
  });
});
