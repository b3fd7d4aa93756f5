import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generator } from '../../src/linalg/random.ts';
import { replay } from '../../src/recording/replay.ts';
import { resume } from '../../src/recording/resume.ts';
import { recover } from '../../src/runs/recover.ts';
import { run } from '../../src/runs/run.ts';
import { readEvents } from '../../src/tables/readEvents.ts';
import { readTable } from '../../src/tables/readTable.ts';
import { branches, objective, source } from './gapProcess.ts';
import { collect, held } from './plain.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-gap-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const PROGRAM = join(import.meta.dirname, 'gapProcess.ts');
const random = generator(5);
const TABLES = ['loss.parquet', 'concentration.parquet', 'within/change.arrows', 'both.parquet', 'rare.parquet'];
const TEXTS = ['csv/both.csv', 'text.csv'];
const EVENTS = 'tensorboard/both/events.out.tfevents.brink';

/** Starts a process, and kills it some milliseconds after its first step. */
async function killed(milliseconds: number, ...args: string[]): Promise<void> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = new Promise((resolve) => child.on('close', resolve));
  await Promise.race([new Promise((resolve) => child.stdout.once('data', resolve)), gone]);
  await wait(milliseconds);
  child.kill('SIGKILL');
  await gone;
}

/** A value by its bytes, which tell apart what equality does not. */
const bytesOf = (value: unknown) =>
  typeof value === 'number' ? Buffer.from(Float64Array.of(value).buffer).toString('hex') : value;

/** Each row of a table, number by number to the bit. */
const rowsOf = async (directory: string, table: string) => {
  const path = join(folder, directory, table);
  if (!existsSync(path)) return [];
  const { rows } = await readTable(path);
  return rows.map((row) => ({
    step: row.step,
    // Sums over a run begin anew where it is resumed, and say where.
    cells: Object.entries(row)
      .filter(([name]) => !name.startsWith('running_'))
      .map(([name, value]) => [name, bytesOf(value)]),
  }));
};
/** The lines of a table of text, without those of sums that begin anew. */
const linesOf = (directory: string, table: string) => {
  const path = join(folder, directory, table);
  if (!existsSync(path)) return [];
  const [names, ...lines] = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));
  return lines.map((cells) => cells.filter((_, k) => !names![k]!.startsWith('running_')));
};
/** The step and the tags of each event. */
const eventsOf = (directory: string) => {
  const path = join(folder, directory, EVENTS);
  return existsSync(path) ? [...readEvents('test', path)] : [];
};
const resumed = (directory: string) => JSON.parse(readFileSync(join(folder, directory, 'run.json'), 'utf8')).resumed;

describe('a run that is killed twice and resumed each time', () => {
  it.each([
    ['recovered before', 1],
    ['recovered after', 1],
    ['recovered before', 7],
    ['recovered after', 7],
  ] as const)(
    'has each row once over its tables, %s it is resumed, with every step of %i recorded',
    async (when, every) => {
      const path = join(folder, 'first', 'recording.arrows');
      await run(source(), branches(every), { directory: join(folder, 'whole'), progress: false });
      const finish = async () => {
        for (const { problem } of await recover(folder)) expect(problem).toBeNull();
      };
      await killed(uniformInt(random, 100, 300), join(folder, 'first'), `${every}`);
      if (when === 'recovered before') await finish();
      await killed(uniformInt(random, 100, 300), join(folder, 'second'), `${every}`, path);
      if (when === 'recovered before') await finish();
      const last = held(path).indices.at(-1)!;
      expect(last).toBeLessThan(700);
      const { state } = await run(resume(path, { objective }), branches(every), {
        directory: join(folder, 'third'),
        progress: false,
      });
      expect(state).toBe('finished');
      await finish();
      for (const table of TABLES) {
        const pieces = await Promise.all(['first', 'second', 'third'].map((name) => rowsOf(name, table)));
        const whole = await rowsOf('whole', table);
        expect(pieces.flat().map(({ step }) => step)).toEqual(whole.map(({ step }) => step));
        expect(pieces.flat()).toEqual(whole);
      }
      const runs = ['first', 'second', 'third'];
      for (const table of TEXTS) {
        const whole = linesOf('whole', table);
        expect(whole.length).toBeGreaterThan(100);
        expect(runs.flatMap((name) => linesOf(name, table))).toEqual(whole);
      }
      expect(eventsOf('whole').length).toBeGreaterThan(100);
      expect(runs.flatMap(eventsOf)).toEqual(eventsOf('whole'));
      expect(await collect(replay(path, { objective }))).toEqual(
        await collect(replay(join(folder, 'whole', 'recording.arrows'), { objective })),
      );
      const { recording, step, tables, note } = resumed('third');
      expect([recording, step % every]).toEqual(['../first/recording.arrows', 0]);
      expect(step).toBeLessThanOrEqual(Math.min(last, ...(Object.values(tables) as number[])));
      expect(note).toContain(`at ${tables.loss} (loss)`);
      expect(note).toContain(`from step ${step} of the recording`);
    },
    120_000,
  );
});
