import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readme, reference } from '../docs/makeReference.ts';

const root = join(import.meta.dirname, '..');
const text = readFileSync(join(root, 'README.md'), 'utf8');
const lines = text.trimEnd().split('\n');
const programs = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code]) => code!);

describe('README', () => {
  it('is short: at most 111 lines beside the table of probes, of at most 120 columns, with a program by line 25', () => {
    const [begin, end] = ['<!-- The probes', '<!-- End'].map((mark) =>
      lines.findIndex((line) => line.startsWith(mark)),
    );
    const own = lines.length - (end! - begin! + 1);
    expect(own, 'move what is only needed later to docs/').toBeLessThanOrEqual(111);
    for (const line of lines) expect([...line].length, line).toBeLessThanOrEqual(120);
    const ends = lines.flatMap((line, k) => (line === '```' ? [k + 1] : []));
    expect(ends[1]).toBeLessThanOrEqual(25);
  });

  it('has the probes as they are declared, as has the reference', () => {
    const advice = 'make it anew: npx node docs/makeReference.ts';
    expect(text, advice).toBe(readme(text));
    expect(readFileSync(join(root, 'docs/reference.md'), 'utf8'), advice).toBe(reference());
  });

  it('lists every page', () => {
    const pages = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'));
    for (const page of pages) expect(text).toContain(`(docs/${page})`);
  });

  it('has a program that runs as it stands, but for its length', () => {
    const folder = join(root, 'output', `readme-${process.pid}`);
    mkdirSync(folder, { recursive: true });
    try {
      const [program] = programs;
      expect(program).toContain('steps: 480');
      writeFileSync(join(folder, 'program.ts'), program!.replace('steps: 480', 'steps: 4'));
      execFileSync(process.execPath, ['program.ts'], {
        cwd: folder,
        env: { ...process.env, BRINK_ENGINE: 'wasm' },
        stdio: 'pipe',
      });
      const made = readdirSync(join(folder, 'output/quickstart')).sort();
      expect(made).toEqual(['eigenvalues.parquet', 'log.jsonl', 'loss.arrows', 'run.json', 'sharpness.parquet']);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 60_000);
});

it.each(
  ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)].filter(
    (name) => name.endsWith('.md') && !name.endsWith('reference.md'),
  ),
)('%s stays within 120 columns, but for what can not be broken', (name) => {
  const long = readFileSync(join(root, name), 'utf8')
    .split('\n')
    // A row of a table is one line.
    .filter((line) => [...line].length > 120 && !line.startsWith('|'));
  expect(long).toEqual([]);
});
