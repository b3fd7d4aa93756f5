import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readTable } from '../../../src/tables/readTable.ts';

const program = join(import.meta.dirname, '../../helpers/failingGpu.ts');

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'brink-webgpu-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

it.each([
  ['is lost', 'lost', /^webgpu: the GPU failed: it was lost \(.+\)\. Start the process anew\.$/m],
  [
    'is out of memory',
    'full',
    /^webgpu: the GPU failed: its memory is full \(.+\)\. Begin anew with a smaller chunk: empiricalRisk\(\{ …, chunk \}\)\.$/m,
  ],
])(
  'a run ends by name, with its rows, where the GPU %s in the middle',
  { timeout: 400_000 },
  async (_, way, message) => {
    const run = promisify(execFile)(process.execPath, [program, way, join(directory, 'run')], { timeout: 380_000 });
    const error = await run.then(
      () => null,
      (failed) => failed,
    );
    expect(error?.stderr).toMatch(message);
    expect(error).toMatchObject({ code: 1, killed: false });
    const { rows } = await readTable(join(directory, 'run/loss.parquet'));
    const steps = rows.map(({ step }) => step);
    expect(steps.slice(0, 2)).toEqual([0, 1]);
    expect(steps.length).toBeLessThan(200);
    expect(rows.every(({ loss }) => Number.isFinite(loss))).toBe(true);
    expect(JSON.parse(readFileSync(join(directory, 'run/run.json'), 'utf8'))).toMatchObject({ state: 'failed' });
  },
);
