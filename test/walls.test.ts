import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const src = new URL('../src', import.meta.url).pathname;

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

  it('keep the backends out of the derivatives and of the portable kernels', () => {
    const wrong = imports.filter(
      ({ file, target }) =>
        /^engine\/(derivatives|kernels\/portable)\//.test(file) && /^engine\/kernels\/(native|wasm|cpu)/.test(target),
    );
    expect(wrong).toEqual([]);
  });

  it('hold no circle of imports within engine', () => {
    const inside = imports.filter(({ room, to }) => room === 'engine' && to === 'engine');
    const seen = new Set<string>();
    const circles: string[][] = [];
    const follow = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file]);
      if (seen.has(file)) return;
      seen.add(file);
      for (const { target } of inside.filter((i) => i.file === file)) follow(target, [...path, file]);
    };
    for (const { file } of inside) follow(file, []);
    expect(seen.size).toBeGreaterThan(50);
    expect(circles).toEqual([]);
  });
});
