import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const src = join(import.meta.dirname, '../src');

/** Every import of every source file: who imports, from which room, and what: a room, or a package. */
const imports = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && file.includes('/'))
  .flatMap((file) => {
    const text = readFileSync(join(src, file), 'utf8');
    return [...text.matchAll(/(?:from|import|import\()\s*'([^']+)'/g)].map(([, target]) => {
      const inside = target!.startsWith('.') ? relative(src, join(src, dirname(file), target!)) : null;
      return { file, room: file.split('/')[0]!, target: inside ?? target!, to: inside?.split('/')[0] ?? null };
    });
  });

/** The rooms that each room may look into, beside itself. */
const MAY_SEE: Record<string, readonly string[]> = {
  core: [],
  theory: ['core'],
  linalg: ['core'],
  files: ['core'],
  datasets: ['core'],
  estimators: ['core', 'linalg', 'theory'],
  objectives: ['core', 'linalg'],
  training: ['core', 'linalg'],
  operators: ['core', 'files'],
  tables: ['core', 'files'],
  engine: ['core', 'linalg', 'objectives', 'datasets'],
  models: ['core', 'engine'],
  losses: ['core', 'engine'],
  probes: ['core', 'linalg', 'theory', 'estimators', 'operators'],
  catalogue: ['core', 'datasets', 'engine', 'models', 'losses', 'probes'],
  recording: ['core', 'files', 'tables', 'training', 'objectives', 'engine', 'catalogue'],
  runs: ['core', 'files', 'operators', 'tables', 'training', 'engine', 'catalogue', 'recording'],
  plots: ['core', 'probes'],
  cli: [
    'core',
    'theory',
    'linalg',
    'files',
    'datasets',
    'estimators',
    'objectives',
    'training',
    'operators',
    'tables',
    'engine',
    'models',
    'losses',
    'probes',
    'catalogue',
    'recording',
    'runs',
    'plots',
  ],
};

describe('the rooms', () => {
  it('are all known, with imports in each', () => {
    expect([...new Set(imports.map(({ room }) => room))].sort()).toEqual(Object.keys(MAY_SEE).sort());
  });

  it('look only where they may', () => {
    const wrong = imports.filter(
      ({ room, to }) => to !== null && to !== '..' && to !== room && !MAY_SEE[room]!.includes(to),
    );
    expect(wrong).toEqual([]);
  });

  it('keep TensorFlow.js behind one wall', () => {
    const knowing = imports.filter(({ target }) => target.startsWith('@tensorflow/')).map(({ room }) => room);
    expect([...new Set(knowing)].sort()).toEqual(['engine', 'losses', 'models']);
  });

  it('keep RxJS out of linalg and the mathematics of the probes, but for the type of the operator that a probe is', () => {
    const rxjs = imports.filter(({ target }) => target === 'rxjs');
    const lines = (file: string) =>
      readFileSync(join(src, file), 'utf8')
        .split('\n')
        .filter((line) => line.includes("from 'rxjs'"));
    for (const { file, room } of rxjs.filter((i) => ['linalg', 'probes', 'core', 'objectives'].includes(i.room))) {
      expect(['probes', 'core'], file).toContain(room);
      expect(lines(file), file).toEqual([expect.stringMatching(/^import type /)]);
    }
  });
});
