import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as brink from '../../src/index.ts';
import { everyProbe } from '../helpers/everyProbe.ts';

const root = join(import.meta.dirname, '../..');
// Within the package, so that examples may import it by its name.
const folder = join(root, 'output', `examples-${process.pid}`);

/** The documentation of what a file is named for, without its stars. */
function docOf(room: string, name: string): string {
  const source = readFileSync(join(root, 'src', room, `${name}.ts`), 'utf8');
  const [before] = source.split(new RegExp(`^export (?:const|function) ${name}\\b`, 'm'));
  return before!.slice(before!.lastIndexOf('/**')).replaceAll(/^ \*( |\/$|$)/gm, '');
}

/** What stands under a tag: up to the next one, or the end. */
const under = (tag: string, doc: string) =>
  doc.match(new RegExp(`^@${tag}\\b\\s*([\\s\\S]*?)(?=^@|$(?![\\s\\S]))`, 'm'))?.[1];

/** What an example says that it prints: the comments behind its calls of console.log. */
const said = (code: string) => [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);

const probes = everyProbe.map(([name]) => ['probes', name] as const);
const statistics = readdirSync(join(root, 'src', 'statistics'))
  .map((file) => ['statistics', file.replace(/\.ts$/, '')] as const)
  .filter(([, name]) => name in brink);
const examples = [...probes, ...statistics].map(([room, name]) => {
  const doc = docOf(room, name);
  return { name, doc, code: under('example', doc) ?? '' };
});

/** Runs each module on the list, and prints what each has printed. */
const MAIN = `
import { formatWithOptions } from 'node:util';
const shown = {};
const log = console.log;
for (const name of process.argv.slice(2)) {
  shown[name] = [];
  console.log = (...values) => shown[name].push(formatWithOptions({ breakLength: Infinity }, ...values));
  await import(\`./\${name}.ts\`);
}
log(JSON.stringify(shown));
`;

let shown: Readonly<Record<string, readonly string[]>>;
beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  for (const { name, code } of examples) writeFileSync(join(folder, `${name}.ts`), code);
  writeFileSync(join(folder, 'main.ts'), MAIN);
  const names = examples.map(({ name }) => name);
  const { stdout } = await promisify(execFile)(process.execPath, ['main.ts', ...names], {
    cwd: folder,
    env: { ...process.env, BRINK_ENGINE: 'wasm' },
  });
  shown = JSON.parse(stdout);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(examples)('the documentation of $name', ({ name, doc, code }) => {
  it('has an example that imports it from the package, and prints what it says', () => {
    expect(code).toMatch(new RegExp(`^import \\{[^}]*\\b${name}\\b[^}]*\\} from 'brink';$`, 'm'));
    expect(said(code).length).toBeGreaterThan(0);
    expect(said(code)).toHaveLength(code.split('console.log(').length - 1);
    expect(shown[name]).toEqual(said(code));
  });

  it('says what it is, when it throws, and what else to look at', () => {
    expect(doc.trim().split('\n')[0]).not.toMatch(/^@/);
    const [throws, seen] = [under('throws', doc), under('see', doc)];
    expect(throws, `${name} has no @throws: 'BrinkError where …'`).toBeDefined();
    expect(throws).toMatch(/^BrinkError .*\.\s*$/s);
    expect(seen, `${name} has no @see: what else of brink to look at`).toBeDefined();
    const see = seen!.split(/[,;]/).map((name) => name.trim());
    const names = see.filter((words) => /^\w+$/.test(words));
    expect(names.length).toBeGreaterThan(0);
    expect(Object.keys(brink)).toEqual(expect.arrayContaining(names));
    expect(names).not.toContain(name);
  });
});

it('the examples compile as they stand', async () => {
  const include = ['./*.ts', join(root, 'src', '**', '*.d.ts')];
  rmSync(join(folder, 'main.ts'));
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: join(root, 'tsconfig.json'), include }));
  await promisify(execFile)(join(root, 'node_modules', '.bin', 'tsc'), ['-p', folder]).catch(({ stdout }) => {
    throw new Error(stdout);
  });
}, 60_000);
