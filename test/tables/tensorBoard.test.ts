import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { from, lastValueFrom, map } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bool, defineTable, float64, int32, list, nullable, type Row, utf8 } from '../../src/core/Table.ts';
import { trainingLoss } from '../../src/probes/trainingLoss.ts';
import { run } from '../../src/runs/run.ts';
import { maskedCrc } from '../../src/tables/eventFile.ts';
import { readEvents as readEventSteps } from '../../src/tables/readEvents.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { toTensorBoard } from '../../src/tables/toTensorBoard.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';

const text = { symbol: '', description: 'Something.' };
const table = defineTable({
  name: 'cells',
  description: 'Cells of each kind.',
  key: ['step', 'batch_size'],
  columns: {
    step: int32(text),
    batch_size: int32(text),
    value: float64(text),
    maybe: nullable(float64(text)),
    is: bool(text),
    said: utf8(text),
    many: list(float64(text)),
  },
});
const rows: Row<typeof table>[] = [
  { step: 0, batch_size: 1, value: 0.1, maybe: null, is: true, said: 'x', many: [1] },
  { step: 300, batch_size: 32, value: Number.NaN, maybe: -2, is: false, said: 'x', many: [1] },
];
const SCALARS = [
  [0, 'value/batch_size=1', Math.fround(0.1)],
  [0, 'is/batch_size=1', 1],
  [300, 'value/batch_size=32', Number.NaN],
  [300, 'maybe/batch_size=32', -2],
  [300, 'is/batch_size=32', 0],
];
const FILE = 'events.out.tfevents.brink';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-events-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The events of a file, each record checked: the few kinds of fields that there are. */
function readEvents(path: string): (readonly [number, string, number])[] {
  const bytes = readFileSync(path);
  const found: (readonly [number, string, number])[] = [];
  let isFirst = true;
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    expect(bytes.readUInt32LE(at + 8)).toBe(maskedCrc(bytes.subarray(at, at + 8)));
    const event = bytes.subarray(at + 12, at + 12 + length);
    expect(bytes.readUInt32LE(at + 12 + length)).toBe(maskedCrc(event));
    at += 16 + length;
    const fields = fieldsOf(event);
    expect(fields.get(1)).toHaveLength(1);
    if (isFirst) expect(String(fields.get(3)![0])).toBe('brain.Event:2');
    isFirst = false;
    for (const summary of fields.get(5) ?? []) {
      for (const value of fieldsOf(summary as Buffer).get(1)!) {
        const scalar = fieldsOf(value as Buffer);
        found.push([
          fields.get(2)![0] as number,
          String(scalar.get(1)![0]),
          (scalar.get(2)![0] as Buffer).readFloatLE(),
        ]);
      }
    }
  }
  return found;
}

function fieldsOf(bytes: Buffer): Map<number, (number | Buffer)[]> {
  const fields = new Map<number, (number | Buffer)[]>();
  let at = 0;
  const varint = () => {
    let [value, scale] = [0, 1];
    for (; ; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number) => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = varint();
    const value = [() => varint(), () => take(8), () => take(varint()), null, null, () => take(4)][key & 7]!();
    fields.set(key >> 3, [...(fields.get(key >> 3) ?? []), value]);
  }
  return fields;
}

describe('toTensorBoard', () => {
  it('checks records by CRC-32C, masked', () => {
    // The check value of the polynomial is e3069283.
    const crc = 0xe3069283;
    expect(maskedCrc(Buffer.from('123456789'))).toBe((((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0);
    expect(maskedCrc(Buffer.alloc(0))).toBe(0xa282ead8);
  });

  it('writes numbers as scalars by step, what else the key has in their tags', async () => {
    await lastValueFrom(from(rows).pipe(toTensorBoard(table, { folder })));
    expect(readEvents(join(folder, FILE))).toEqual(SCALARS);
    const again = () => lastValueFrom(from(rows.slice(0, 1)).pipe(toTensorBoard(table, { folder })));
    await expect(again()).rejects.toThrow(/tfevents\.brink is there already\. Name another folder/);
    await lastValueFrom(from(rows.slice(0, 1)).pipe(toTensorBoard(table, { folder, overwrite: true })));
    expect(readEvents(join(folder, FILE))).toEqual(SCALARS.slice(0, 2));
  });

  it('passes rows on, in a run into a folder of its branch, while they come', async () => {
    const directory = join(folder, 'run');
    const file = join(directory, 'tensorboard', 'loss', FILE);
    const seen: number[] = [];
    const summary = await run(
      gradientDescent(regression(), { learningRate: 0.1, steps: 3 }),
      {
        loss: (s) =>
          s.pipe(
            trainingLoss(),
            toTensorBoard(),
            map((row) => {
              seen.push(readEvents(file).filter(([, tag]) => tag === 'loss').length);
              return row;
            }),
            toParquet(trainingLoss.table),
          ),
      },
      { directory, progress: false },
    );
    expect(seen).toEqual([1, 2, 3, 4]);
    const losses = (await summary.rows('loss')).map(({ step, loss }) => [step, 'loss', Math.fround(loss as number)]);
    expect(readEvents(file).filter(([, tag]) => tag === 'loss')).toEqual(losses);
    const { files } = JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8'));
    expect(files).toContain(join('tensorboard', 'loss', FILE));
  });

  it('are read back as far as they came: a torn record is none, a changed one is told', async () => {
    await lastValueFrom(from(rows).pipe(toTensorBoard(table, { folder })));
    const file = join(folder, FILE);
    const whole = readFileSync(file);
    const events = [...readEventSteps('test', file)];
    expect(events.map(({ step }) => step)).toEqual([0, 300]);
    expect(events.flatMap(({ tags }) => tags)).toEqual(SCALARS.map(([, tag]) => tag));
    let held = 0;
    for (let length = 0; length <= whole.length; length++) {
      writeFileSync(file, whole.subarray(0, length));
      const found = [...readEventSteps('test', file)];
      expect(found).toEqual(events.slice(0, found.length));
      expect(found.length).toBeGreaterThanOrEqual(held);
      held = found.length;
    }
    expect(held).toBe(2);
    for (let at = 0; at < whole.length; at++) {
      const changed = Buffer.from(whole);
      changed[at]! ^= 1;
      writeFileSync(file, changed);
      expect(() => [...readEventSteps('test', file)], `${at}`).toThrow(
        /^test: the record at byte \d+ of .* is damaged: /,
      );
    }
  });

  it('refuses a row that does not fit the table, of which it would leave out what is no number', async () => {
    for (const value of ['0.5', 5n, undefined]) {
      const wrong = from([{ ...rows[0]!, value }]).pipe(toTensorBoard(table, { folder, overwrite: true }) as never);
      await expect(lastValueFrom(wrong)).rejects.toThrow("toTensorBoard: column 'value' is");
    }
    expect(readEvents(join(folder, FILE))).toEqual([]);
  });

  it('refuses at the call what there is not, and rows without a step', async () => {
    expect(() => toTensorBoard({ path: 'x' } as object)).toThrow("toTensorBoard: there is no option 'path'.");
    const other = defineTable({
      ...table,
      key: ['batch_size'],
      columns: { batch_size: int32(text), value: float64(text) },
    });
    const without = from([{ batch_size: 1, value: 2 }]).pipe(toTensorBoard(other, { folder }));
    await expect(lastValueFrom(without)).rejects.toThrow("a row of the table 'cells' has the step undefined.");
  });

  it.skipIf(process.env.BRINK_TORCH_PYTHON === undefined)(
    'is read by TensorBoard itself (BRINK_TORCH_PYTHON)',
    async () => {
      await lastValueFrom(from(rows).pipe(toTensorBoard(table, { folder })));
      const code = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1]).Reload()
print(json.dumps({tag: [[e.step, repr(e.value)] for e in events.Scalars(tag)] for tag in events.Tags()['scalars']}))`;
      const python = process.env.BRINK_TORCH_PYTHON!;
      const found = JSON.parse(execFileSync(python, ['-c', code, folder], { encoding: 'utf8', stdio: 'pipe' }));
      const expected = SCALARS.map(([step, tag, value]) => [
        tag,
        [[step, Number.isNaN(value) ? 'nan' : Number.isInteger(value) ? `${value}.0` : `${value}`]],
      ]);
      expect(found).toEqual(Object.fromEntries(expected));
    },
    60_000,
  );
});
