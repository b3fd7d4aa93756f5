import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SweepFolder } from '../../src/sweep/SweepFolder.ts';
import { sweepStatus } from '../../src/sweep/sweepStatus.ts';
import { writePlan } from '../../src/sweep/writePlan.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'brink-folder-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const planned = () =>
  writePlan(folder, {
    pipeline: { data: { name: 'digits', train: 16 }, steps: 1, learningRate: 0.1 },
    axes: { batchSize: [2, 4], seed: [0, 1] },
  });

describe('the folder of a sweep', () => {
  it('reads back the plan that was written', () => {
    const plan = planned();
    expect(new SweepFolder(folder).read()).toEqual(plan);
  });

  it.each<[string, (lines: readonly string[]) => readonly string[]]>([
    ['a plan whose last cell was cut off', (lines) => lines.slice(0, -1)],
    ['a plan without cells', (lines) => lines.slice(0, 1)],
    ['a plan with a cell twice', (lines) => [...lines, lines.at(-1)!]],
    ['a cell that was changed', (lines) => lines.map((line) => line.replace('"batchSize":4', '"batchSize":8'))],
    ['another number of threads', ([head, ...lines]) => [head!.replace('"threads":1', '"threads":2'), ...lines]],
  ])('refuses %s', (_name, damage) => {
    planned();
    const path = join(folder, 'plan.jsonl');
    writeFileSync(path, `${damage(readFileSync(path, 'utf8').trimEnd().split('\n')).join('\n')}\n`);
    expect(() => new SweepFolder(folder).read()).toThrow(
      'plan.jsonl is damaged: its cells are not those that were planned. Plan the sweep anew.',
    );
  });

  it.each(['', 'null', '{}', '[]', '{"state":"odd"}', '{"state":"done"'])(
    'takes a result for none that is none: %s',
    (text) => {
      const [cell] = planned().cells;
      mkdirSync(join(folder, 'results'), { recursive: true });
      writeFileSync(join(folder, 'results', `${cell!.id}.json`), text);
      expect(new SweepFolder(folder).hasEnded(cell!.id)).toBe(false);
      expect(sweepStatus(folder).counts).toMatchObject({ missing: 4, done: 0 });
    },
  );
});
