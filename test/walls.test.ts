import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const src = join(import.meta.dirname, '../src');

/** An import: who imports, from which room, and what. */
interface Import {
  readonly file: string;
  readonly room: string;
  readonly target: string;
  /** The room of the target; null for a package. */
  readonly to: string | null;
  /** Whether it is of types alone, and gone when the program runs. */
  readonly isType: boolean;
  /** Whether it is loaded when it is needed, by `import()`. */
  readonly isLazy: boolean;
}

const IMPORT = /(?:^(?:import|export)\s+(type\s+)?[^'";]*?\bfrom\s*|^import\s*|(\bimport)\(\s*)'([^']+)'/gm;

/** Every import of every source file. */
const all: readonly Import[] = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .flatMap((file) =>
    [...readFileSync(join(src, file), 'utf8').matchAll(IMPORT)].map(([, type, lazy, target]) => {
      const inside = target!.startsWith('.') ? relative(src, join(src, dirname(file), target!)) : null;
      return {
        file,
        room: file.split('/')[0]!,
        target: inside ?? target!,
        to: inside?.split('/')[0] ?? null,
        isType: type !== undefined,
        isLazy: lazy !== undefined,
      };
    }),
  );
/** Those of the rooms, which is all but the package's own list. */
const imports = all.filter(({ file }) => file.includes('/'));

const isTensorFlow = ({ target }: Import) => target.startsWith('@tensorflow/');

/** What a file imports by some imports, and what that imports, and so on. */
function reachable(from: string, by: readonly Import[]): Set<string> {
  const next = Map.groupBy(by, ({ file }) => file);
  const found = new Set<string>();
  const queue = [from];
  for (const file of queue) {
    for (const { target } of next.get(file) ?? []) {
      if (!found.has(target)) queue.push(target);
      found.add(target);
    }
  }
  return found;
}

/** The rooms that each room may look into, beside itself. */
const MAY_SEE: Record<string, readonly string[]> = {
  core: [],
  theory: ['core'],
  linalg: ['core'],
  statistics: ['core', 'linalg'],
  files: ['core'],
  datasets: ['core', 'linalg', 'files'],
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
  recording: ['core', 'datasets', 'files', 'tables', 'training', 'objectives', 'engine', 'catalogue'],
  runs: ['core', 'files', 'operators', 'tables', 'training', 'engine', 'catalogue', 'recording'],
  plots: ['core', 'files', 'probes'],
  figures: ['core', 'files', 'statistics', 'tables', 'plots', 'recording', 'runs'],
  sweep: ['core', 'files', 'tables', 'recording', 'engine', 'runs'],
  watch: ['core', 'files', 'statistics', 'tables', 'recording', 'runs', 'plots'],
  cli: [
    'core',
    'theory',
    'linalg',
    'statistics',
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
    'figures',
    'sweep',
    'watch',
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

  it('have no circle of imports, those of types and those when used included', () => {
    const circles = [...new Set(all.map(({ file }) => file))].filter((file) => reachable(file, all).has(file));
    expect(circles).toEqual([]);
  });

  it('keep Node.js out of the contracts', () => {
    expect(imports.filter(({ room, target }) => room === 'core' && target.startsWith('node:'))).toEqual([]);
  });

  it('keep TensorFlow.js behind one wall', () => {
    const knowing = all.filter(isTensorFlow).map(({ room }) => room);
    expect([...new Set(knowing)].sort()).toEqual(['engine', 'losses', 'models']);
  });

  it('keep TensorFlow.js out of what the command line loads before it knows what to do', () => {
    const now = all.filter(({ isType, isLazy }) => !isType && !isLazy);
    const commands = all.filter(({ file, to }) => file === 'cli/brink.ts' && to === 'cli').map(({ target }) => target);
    expect(commands).toContain('cli/runCommand.ts');
    const loaded = new Set(commands.flatMap((command) => [...reachable(command, now)]));
    expect(loaded).toContain('catalogue/models.ts');
    expect(all.filter((i) => loaded.has(i.file) && isTensorFlow(i) && !i.isType)).toEqual([]);
  });

  it('keep RxJS and TensorFlow.js out of the mathematics', () => {
    const rooms = ['linalg', 'theory', 'estimators', 'statistics'];
    const knowing = imports.filter((i) => rooms.includes(i.room) && (i.target.startsWith('rxjs') || isTensorFlow(i)));
    expect(knowing).toEqual([]);
  });

  it('keep RxJS out of contracts, objectives and probes, but for the type of the operator that a probe is', () => {
    const rxjs = imports.filter(({ target }) => target.startsWith('rxjs'));
    const isMathematics = ({ room, file }: Import) => room === 'probes' && file !== 'probes/probe.ts';
    expect(rxjs.filter(({ room }) => room === 'objectives')).toEqual([]);
    expect(rxjs.filter((i) => (i.room === 'core' || isMathematics(i)) && !i.isType)).toEqual([]);
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
