import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as brink from '../../src/index.ts';

const root = join(import.meta.dirname, '../..');
const plots = join(root, 'src/plots');
// Within the package, so that examples may import it by its name.
const folder = join(root, 'output', `plot-examples-${process.pid}`);

/** The functions of the room that the package exports, each with the documentation before it. */
const functions = readdirSync(plots).flatMap((file) => {
  const source = readFileSync(join(plots, file), 'utf8');
  return [...source.matchAll(/\/\*\*((?:(?!\*\/).)*)\*\/\nexport (?:async )?function (\w+)/gs)]
    .map(([, doc, name]) => ({ name: name!, doc: doc!.replaceAll(/^ \*( |\/$|$)/gm, '') }))
    .filter(({ name }) => name in brink);
});
const exampleOf = (doc: string) => doc.match(/^@example\s*([\s\S]*?)(?=^@|$(?![\s\S]))/m)?.[1];
const said = (code: string) => [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  for (const { name, doc } of functions) writeFileSync(join(folder, `${name}.ts`), exampleOf(doc) ?? '');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('knows every function that draws', () => {
  const names = ['chart', 'heat', 'line', 'panels', 'plotTable', 'points', 'rule', 'shades', 'sharpnessPlot'];
  expect(functions.map(({ name }) => name).sort()).toEqual([...names, 'slope', 'toSvg', 'writeSvg']);
});

it.each(functions)('the example of $name prints what it says', async ({ name, doc }) => {
  const expected = said(exampleOf(doc) ?? '');
  expect(expected.length).toBeGreaterThan(0);
  const { stdout } = await promisify(execFile)(process.execPath, [`${name}.ts`], { cwd: folder });
  expect(stdout.trim().split('\n')).toEqual(expected);
});

it('the examples compile as they stand', async () => {
  const include = ['./*.ts', join(root, 'src', '**', '*.d.ts')];
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: join(root, 'tsconfig.json'), include }));
  await promisify(execFile)(join(root, 'node_modules', '.bin', 'tsc'), ['-p', folder]).catch(({ stdout }) => {
    throw new Error(stdout);
  });
}, 60_000);
