import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Field, Float64, makeData, RecordBatch, Schema, Struct, tableFromIPC } from 'apache-arrow';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ArrowFile } from '../../src/files/ArrowFile.ts';
import { arrowMessages } from '../../src/files/arrowMessages.ts';
import { openArrowFile } from '../../src/files/openArrowFile.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-arrow-'));
  path = join(folder, 'numbers.arrows');
  messages = arrowMessages(schema);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const schema = new Schema([new Field('x', new Float64(), false)]);
let messages = arrowMessages(schema);
/** A message of one batch. */
const batchOf = (...values: number[]) => {
  const child = makeData({ type: new Float64(), length: values.length, nullCount: 0, data: Float64Array.from(values) });
  const type = new Struct(schema.fields);
  const data = makeData({ type, length: values.length, nullCount: 0, children: [child] });
  return messages.batch(new RecordBatch(schema, data));
};
const open = (kept: number | null = null) => new ArrowFile(path, { kept, refused: (cause) => cause });
/** Writes two batches, [1, 2] and [3], and the end. */
const write = () => {
  const file = open();
  for (const message of [messages.schema, batchOf(1, 2), batchOf(3)]) file.write(message);
  file.end();
};
const numbers = () => Array.from(tableFromIPC(readFileSync(path)).getChild('x')!.toArray());
/** How often this process has the file open. */
const handles = () =>
  readdirSync('/proc/self/fd').filter((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`) === path;
    } catch {
      return false;
    }
  }).length;
const onLinux = it.skipIf(process.platform !== 'linux');

describe('an Arrow file', () => {
  it('has each message when write returns, and is what other readers read', () => {
    const file = open();
    file.write(messages.schema);
    const sizes = [batchOf(1, 2), batchOf(3)].map((message) => {
      file.write(message);
      return openArrowFile('test', path, '', ({ batches, close }) => {
        close();
        return batches.map(({ rows }) => rows);
      });
    });
    expect(sizes).toEqual([[2], [2, 1]]);
    file.end();
    expect(numbers()).toEqual([1, 2, 3]);
  });

  it('is begun once', () => {
    write();
    expect(open).toThrow('EEXIST');
    expect(numbers()).toEqual([1, 2, 3]);
  });

  it('is gone on with behind what is kept of it', () => {
    write();
    appendFileSync(path, 'torn');
    const [first] = openArrowFile('test', path, '', ({ batches, close }) => {
      close();
      return batches;
    });
    const file = open(first!.end);
    expect(statSync(path).size).toBe(first!.end);
    file.write(batchOf(4));
    file.end();
    expect(numbers()).toEqual([1, 2, 4]);
  });

  onLinux('lets the file go where it cannot be gone on with', () => {
    write();
    expect(() => open(0.5)).toThrow('out of range');
    expect(handles()).toBe(0);
  });
});

describe('openArrowFile', () => {
  it('reads a batch where it lies, and tells what is torn', () => {
    write();
    truncateSync(path, statSync(path).size - 8);
    appendFileSync(path, 'torn');
    const file = openArrowFile('test', path, '', (file) => file);
    expect(file.batches.map(({ rows }) => rows)).toEqual([2, 1]);
    expect(Array.from(file.read(1).getChild('x')!)).toEqual([3]);
    expect(Array.from(file.read(0).getChild('x')!)).toEqual([1, 2]);
    expect([file.end, file.tornBytes]).toEqual([statSync(path).size - 4, 4]);
    file.close();
  });

  it('tells of a file without a whole schema in the words that it is given', () => {
    writeFileSync(path, 'a letter');
    expect(() => openArrowFile('test', path, 'is empty.', () => {})).toThrow(`test: ${path} is empty.`);
  });

  it('tells where a file ends that was cut since it was opened', () => {
    write();
    const file = openArrowFile('test', path, '', (file) => file);
    const at = file.batches[1]!.start + 10;
    truncateSync(path, at);
    expect(() => file.read(1)).toThrow(
      `test: ${path} ends at byte ${at}, within a batch. It was cut while it was read`,
    );
    file.close();
  });

  onLinux('leaves the file open for its answer, and closes it where there is none', () => {
    write();
    const file = openArrowFile('test', path, '', (file) => file);
    expect(handles()).toBe(1);
    file.close();
    expect(() =>
      openArrowFile('test', path, '', () => {
        throw new Error('another table');
      }),
    ).toThrow('another table');
    expect(handles()).toBe(0);
  });
});
