import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { extract } from 'tar';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const manifest = readFileSync(join(root, 'package.json'), 'utf8');

let parent: string;
/** A clone as far as packing needs one: the repository's own package.json changes while it is packed. */
let clone: string;
/** A project that has installed the package. */
let project: string;
let installed: string;

/** Runs a command to its end; throws with what it said where it fails. */
async function call(cwd: string, command: string, ...args: string[]): Promise<string> {
  const env = { ...process.env, BRINK_ENGINE: 'wasm' };
  const { stdout } = await promisify(execFile)(command, args, { cwd, env }).catch((error) => {
    throw new Error(`${error.message}\n${error.stdout}`);
  });
  return stdout;
}
const node = (...args: string[]) => call(project, process.execPath, ...args);
const brink = (...args: string[]) => node(join(installed, 'dist/cli/brink.js'), ...args);
const tsc = (...args: string[]) => node(join(root, 'node_modules/typescript/bin/tsc'), ...args);

const PIPELINE = `
import { crossEntropy, digits, empiricalRisk, gradientDescent, mlp } from 'brink';
import { readTable, run, toParquet, topEigenvalues } from 'brink';
const model = mlp({ inputs: 64, hidden: [32], outputs: 10, activation: 'tanh' });
const objective = await empiricalRisk({ model, data: await digits({ train: 256 }), loss: crossEntropy });
const result = await run(
  gradientDescent(objective, { learningRate: 0.1, steps: 3 }),
  { eigenvalues: (s) => s.pipe(topEigenvalues(), toParquet()) },
  { directory: 'output', overwrite: true, progress: false },
);
const { rows } = await readTable('output/eigenvalues.parquet', topEigenvalues.table);
const same = await result.rows('eigenvalues');
console.log(result.state, rows.length, same.length);
`;

beforeAll(async () => {
  parent = realpathSync(mkdtempSync(join(tmpdir(), 'brink-package-')));
  clone = join(parent, 'clone');
  mkdirSync(clone);
  for (const name of [
    'src',
    'fixtures',
    'packaging',
    'README.md',
    'LICENSE',
    'package.json',
    'tsconfig.json',
    'tsconfig.build.json',
  ]) {
    cpSync(join(root, name), join(clone, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'));
  await call(clone, 'npm', 'pack', '--pack-destination', parent);

  project = join(parent, 'project');
  installed = join(project, 'node_modules/brink');
  mkdirSync(installed, { recursive: true });
  const tarball = readdirSync(parent).find((file) => file.endsWith('.tgz'))!;
  await extract({ file: join(parent, tarball), cwd: installed, strip: 1 });
  for (const name of Object.keys(JSON.parse(manifest).dependencies)) {
    mkdirSync(dirname(join(project, 'node_modules', name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name));
  }
  writeFileSync(join(project, 'package.json'), '{ "name": "project", "type": "module" }');
}, 120_000);
afterAll(() => rmSync(parent, { recursive: true, force: true }));

describe('npm pack', () => {
  it('leaves package.json as it was, also where an earlier one was cut off', async () => {
    expect(readFileSync(join(clone, 'package.json'), 'utf8')).toBe(manifest);
    const change = (task: string) => call(clone, process.execPath, 'packaging/manifest.ts', task);
    await change('pack');
    expect(readFileSync(join(clone, 'package.json'), 'utf8')).not.toBe(manifest);
    await change('pack');
    await change('unpack');
    expect(readFileSync(join(clone, 'package.json'), 'utf8')).toBe(manifest);
    expect(existsSync(join(clone, 'package.json.source'))).toBe(false);
  });

  it('packs what a program needs, and no source, test or script', () => {
    const files = readdirSync(installed, { recursive: true, encoding: 'utf8' });
    expect(files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))).toEqual([]);
    expect(readdirSync(installed).sort()).toEqual(['LICENSE', 'README.md', 'dist', 'fixtures', 'package.json']);
    const notCode = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && !entry.name.endsWith('.ts'),
    );
    for (const { parentPath, name } of notCode) {
      expect(files).toContain(join(parentPath.replace(join(root, 'src'), 'dist'), name));
    }
  });

  it('names no source file in what it builds', () => {
    const named = readdirSync(join(installed, 'dist'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.js'))
      .filter((file) => /new URL\((['"`])[^'"`]*\.ts\1/.test(readFileSync(join(installed, 'dist', file), 'utf8')));
    expect(named).toEqual([]);
  });

  it('makes a package without scripts, whose entries are there', () => {
    const packed = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    expect(packed).not.toHaveProperty('scripts');
    expect(packed).not.toHaveProperty('devDependencies');
    expect(packed.dependencies).toEqual(JSON.parse(manifest).dependencies);
    expect(Object.keys(packed.optionalDependencies)).toEqual([
      '@tensorflow/tfjs-backend-webgpu',
      '@tensorflow/tfjs-node-gpu',
      'sharp',
      'webgpu',
    ]);
    for (const file of [packed.bin.brink, packed.exports['.'].types, packed.exports['.'].default]) {
      expect(existsSync(join(installed, file)), file).toBe(true);
    }
    expect(readFileSync(join(installed, packed.bin.brink), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });
});

describe('a project that has installed the package', { timeout: 120_000 }, () => {
  it.each(['js', 'ts'])('runs a pipeline in .%s', async (ending) => {
    writeFileSync(join(project, `pipeline.${ending}`), PIPELINE);
    expect(await node(`pipeline.${ending}`)).toBe('finished 4 4\n');
  });

  it('is there for require() too', async () => {
    writeFileSync(
      join(project, 'required.cjs'),
      "const { leastSquares } = require('brink');\nconsole.log(leastSquares({ X: [[1, 0]], y: [1] }).paramCount);\n",
    );
    expect(await node('required.cjs')).toBe('2\n');
  });

  it('says in a sentence which Node.js it needs, at import and on the command line', async () => {
    const old = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.19.0" } })';
    const sentence = 'brink: this is Node.js 20.19.0. brink needs 22.18 or newer';
    const ask = (...args: string[]) => node('--import', `data:text/javascript,${encodeURIComponent(old)}`, ...args);
    await expect(ask('--input-type=module', '--eval', "import 'brink'")).rejects.toThrow(`Error: ${sentence}`);
    await expect(ask(join(installed, 'dist/cli/brink.js'), 'engine')).rejects.toThrow(`\n${sentence}`);
    expect(JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')).engines).toEqual({ node: '>=22.18' });
  });

  it('has its types: a right pipeline passes, a wrong one does not', async () => {
    const options = { module: 'nodenext', target: 'es2024', strict: true, noEmit: true, skipLibCheck: true, types: [] };
    writeFileSync(
      join(project, 'right.ts'),
      PIPELINE.replace('console.log(', 'console.log([...rows, ...same].map((row) => row.lambda_1 satisfies number), '),
    );
    const wrong = PIPELINE.replace("'tanh'", "'sine'").replace(
      'console.log(',
      'console.log(rows[0]!.lambda, same[0]!.mu, ',
    );
    writeFileSync(join(project, 'wrong.ts'), wrong);
    const config = (file: string) =>
      writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, include: [file] }));
    config('right.ts');
    expect(await tsc('-p', '.')).toBe('');
    config('wrong.ts');
    const errors = await tsc('-p', '.').catch((error) => error.message);
    expect(errors).toContain(`Type '"sine"' is not assignable to type '"`);
    expect(errors).toContain("Property 'lambda' does not exist");
    expect(errors).toContain("Property 'mu' does not exist");
    config('right.ts');
    const all: string = await tsc('-p', '.', '--skipLibCheck', 'false').catch((error) => error.message);
    expect(all.split('\n').filter((line) => line.includes('node_modules/brink/'))).toEqual([]);
  });

  it('has the command line: engines, verification, a run', async () => {
    const [, tensorflow, wasm] = JSON.parse(await brink('engine', '--json'));
    expect([tensorflow.usable, wasm.usable]).toEqual([false, true]);
    expect(await brink('verify')).toMatch(/\npassed: all \d+\n$/);
    const run = ['run', '--data', 'chebyshev', '--learning-rate', '0.1', '--steps', '3', '--probe', 'trainingLoss'];
    expect(JSON.parse(await brink(...run, '--json'))).toMatchObject({ state: 'finished', steps: 4 });
    expect(await brink('show', 'output/run')).toContain('loss.parquet: 4 rows');
    expect(await brink('watch', 'output/run', '--save', 'run.html')).toMatch(/^run\.html: 0\.\d MB\n/);
    expect(readFileSync(join(project, 'run.html'), 'utf8')).toContain('uplot\n\nThe MIT License');
  });
});
