import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concatMap, from } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defineTable, float64, int32 } from '../../src/core/Table.ts';
import { run } from '../../src/runs/run.ts';
import { finishParquet } from '../../src/tables/finishParquet.ts';
import { TableLog } from '../../src/tables/TableLog.ts';
import { toParquet } from '../../src/tables/toParquet.ts';
import { gradientDescent } from '../../src/training/gradientDescent.ts';
import { regression } from '../helpers/regression.ts';

let folder: string;
let now = 0;
let milliseconds = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-progress-'));
  now = 0;
  // Each look at the clock finds it later by so much.
  vi.spyOn(performance, 'now').mockImplementation(() => {
    now += milliseconds;
    return now;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const int = { symbol: 'k', description: 'A number.' };
const table = defineTable({
  name: 'rows',
  description: 'Rows.',
  key: ['k'],
  columns: { k: int32(int), x: float64(int) },
});
const ROWS = 256 * 12 + 5;

describe('a table that takes long to finish', () => {
  /** What is told while it is finished, where each batch takes so many milliseconds. */
  async function told(each: number): Promise<[number, number][]> {
    const stem = join(folder, 'rows');
    const log = new TableLog(table, stem, { format: 'parquet', metadata: {} });
    for (let k = 0; k < ROWS; k++) log.append({ k, x: k / 3 });
    const whole = log.finish();
    const heard: [number, number][] = [];
    milliseconds = each;
    await finishParquet('test', whole, `${stem}.parquet`, (...progress) => heard.push(progress));
    milliseconds = 0;
    return heard;
  }

  it('tells how many rows are done of all: after a second and a half, every five seconds, and at the end', async () => {
    const heard = await told(600);
    const [first, second] = heard;
    expect(first).toEqual([3 * 256, ROWS]);
    expect(second![0]).toBeGreaterThan(8 * 256);
    expect(heard.at(-1)).toEqual([ROWS, ROWS]);
    expect(heard).toHaveLength(3);
  });

  it('is quiet where it does not', async () => {
    expect(await told(100)).toEqual([]);
  });

  it('says so in a run, on standard error and in its log', async () => {
    const said: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
    const rows = Array.from({ length: ROWS }, (_, k) => ({ k, x: k / 3 }));
    const slow = (progress: boolean, name: string) =>
      run(
        gradientDescent(regression(), { learningRate: 0.1, steps: 0 }),
        {
          many: (s) =>
            s.pipe(
              concatMap(() => {
                milliseconds = 600;
                return from(rows);
              }),
              toParquet(table),
            ),
        },
        { directory: join(folder, name), progress },
      );
    await slow(true, 'shown');
    expect(said.filter((line) => line.includes('rows finished'))).toEqual([
      `many.parquet: 768 of ${ROWS} rows finished\n`,
      expect.stringMatching(/^many\.parquet: \d{4} of 3077 rows finished\n$/),
      `many.parquet: ${ROWS} of ${ROWS} rows finished\n`,
    ]);
    expect(readFileSync(join(folder, 'shown', 'log.jsonl'), 'utf8')).toContain(`768 of ${ROWS} rows finished`);
    said.length = 0;
    milliseconds = 0;
    await slow(false, 'silent');
    expect(said).toEqual([]);
    expect(readFileSync(join(folder, 'silent', 'log.jsonl'), 'utf8')).toContain(`768 of ${ROWS} rows finished`);
  });
});
