import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { collectSweep, readTable, runSweep, type SweepRequest, writePlan } from '../../src/index.ts';
import { openRecording } from '../../src/recording/openRecording.ts';
import { program } from '../cli/brinkProcess.ts';
import { collectedTables } from '../helpers/collectedTables.ts';
import { everything } from '../helpers/everything.ts';

const parent = mkdtempSync(join(tmpdir(), 'brink-continued-'));
afterAll(() => rmSync(parent, { recursive: true, force: true }));

const quiet = { progress: false };
/** Probes that carry eigenpairs and the row before from step to step are among them. */
const common: SweepRequest = {
  pipeline: {
    data: { name: 'digits', train: 48, test: 16 },
    model: { name: 'mlp', hidden: [6], activation: 'relu' },
    ...{ learningRate: 0.05, steps: 3000, batchSize: 8, beta1: 0.5 },
    probes: [
      { name: 'trainingLoss', every: 70 },
      { name: 'topEigenvalues', count: 2, every: 90 },
      { name: 'alignment', every: 110 },
    ],
  },
  checkpoint: { every: 250 },
  axes: { seed: [0] },
};

/** Runs the only cell until it has recorded so many bytes, and ends its process by a signal. */
async function cutOff(
  directory: string,
  file: string,
  bytes: number,
  signal: 'SIGUSR2' | 'SIGKILL',
): Promise<number | null> {
  const child = spawn(process.execPath, [program, 'sweep', 'run', directory, '--jobs', '1'], { stdio: 'ignore' });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const path = () => {
    const [id = ''] = readdirSync(join(directory, 'cells')).filter((name) => /^\w+$/.test(name));
    return join(directory, 'cells', id, file);
  };
  while ((statSync(path(), { throwIfNoEntry: false })?.size ?? 0) < bytes) await sleep(10);
  const cells = join(directory, 'cells');
  const locks = readdirSync(cells).filter((name) => name.endsWith('.lock'));
  const pids = locks.map((lock) => (JSON.parse(readFileSync(join(cells, lock), 'utf8')) as { pid: number }).pid);
  expect(pids).toHaveLength(1);
  child.kill(signal);
  const code = await ended;
  // A worker goes when whoever asked is gone, a moment later.
  while (pids.some((pid) => existsSync(`/proc/${pid}`))) await sleep(10);
  return code;
}

function readRecording(path: string): readonly number[] {
  const { indices, close } = openRecording('test', path);
  close();
  return indices;
}

describe('a cell with a checkpoint', { timeout: 120_000 }, () => {
  const ways: [what: string, file: string, record: boolean][] = [['its checkpoints', 'checkpoint.arrows', false]];
  if (everything) ways.push(['the recording that it makes anyway', 'recording.arrows', true]);
  it.each(ways)(
    'goes on from %s after a signal and after kill -9, and has the same bits',
    async (_name, file, record) => {
      const [whole, cut] = [join(parent, `whole-${file}`), join(parent, `cut-${file}`)];
      const request = { ...common, pipeline: { ...common.pipeline, record } };
      const [cell] = writePlan(whole, request).cells;
      await runSweep(whole, quiet);
      await collectSweep(whole);
      writePlan(cut, request);
      // Of θ and δ, 460 numbers each, in every step or in each that is a multiple of 250.
      const checkpoint = 2 * 4 * 460 * (record ? 250 : 1);
      expect(await cutOff(cut, file, 3 * checkpoint, 'SIGUSR2')).toBe(75);
      expect(await cutOff(cut, file, 6 * checkpoint, 'SIGKILL')).toBe(null);
      expect(await runSweep(cut, quiet)).toMatchObject({ done: 1 });
      await collectSweep(cut);
      expect(collectedTables(cut)).toEqual(collectedTables(whole));

      const from = ['', '.2', '.3'].map(
        (part) =>
          JSON.parse(readFileSync(join(cut, 'cells', `${cell!.id}${part}`, 'run.json'), 'utf8')).resumed?.step ?? 0,
      );
      expect(from[1]).toBeGreaterThanOrEqual(250);
      expect(from[2]).toBeGreaterThan(from[1]);
      const {
        rows: [row],
      } = await readTable(join(cut, 'sweep.parquet'));
      expect(row).toMatchObject({ state: 'done', attempts: 3, steps: 3001, loss_step: 2940 });
      // Nothing goes on from a checkpoint any more; a recording was asked for, and is whole.
      expect(existsSync(join(cut, 'cells', cell!.id, file))).toBe(record);
      const recordings = [whole, cut].map((folder) => join(folder, 'cells', cell!.id, file));
      if (record) expect(readRecording(recordings[1]!)).toEqual(readRecording(recordings[0]!));
    },
  );
});
