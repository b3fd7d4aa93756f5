import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pythonOrSkip } from './helpers/python.ts';

const root = join(import.meta.dirname, '..');
const docs = join(root, 'docs');
// Within the package, so that snippets may import it by its name.
const folder = join(root, 'output', `docs-${process.pid}`);
const env = { ...process.env, BRINK_ENGINE: 'wasm' };
const execute = promisify(execFile);

interface Snippet {
  readonly page: string;
  readonly language: string;
  readonly code: string;
}
const snippets: Snippet[] = readdirSync(docs)
  .filter((page) => page.endsWith('.md'))
  .flatMap((page) =>
    [...readFileSync(join(docs, page), 'utf8').matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, code]) => ({
      page,
      language: language!,
      code: code!,
    })),
  );
const named = (language: string) =>
  snippets
    .filter((snippet) => snippet.language === language)
    .map(({ page, code }, k) => [`${page}, number ${k + 1}`, code] as const);

/** A short run whose tables the snippets read. */
const RUN = `
import { gradientDescent, interactionAwareSharpness, leastSquares, run, toArrow, topEigenvalues, toParquet, trainingLoss } from 'brink';
const objective = leastSquares({ X: [[1, 0], [0, 3], [1, 1], [2, 1]], y: [1, 2, 3, 4] });
await run(gradientDescent(objective, { learningRate: 0.5, steps: 6 }), {
  loss: (s) => s.pipe(trainingLoss(), toArrow()),
  eigenvalues: (s) => s.pipe(topEigenvalues({ count: 2 }), toParquet()),
  sharpness: (s) => s.pipe(interactionAwareSharpness(), toParquet()),
}, { directory: 'run', progress: false });
for (const [from, to] of [['eigenvalues', 'parquet'], ['sharpness', 'parquet'], ['loss', 'arrows']]) await copyFile(\`run/\${from}.\${to}\`, \`\${from}.\${to}\`);
`;

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  // What the script of the page on PyTorch leaves behind.
  cpSync(join(root, 'fixtures', 'pytorch'), folder, { recursive: true });
  writeFileSync(join(folder, 'run.ts'), `import { copyFile } from 'node:fs/promises';${RUN}`);
  await execute(process.execPath, ['run.ts'], { cwd: folder, env });
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the documentation', () => {
  it('has pages with snippets', () => {
    expect(named('ts').length).toBeGreaterThanOrEqual(4);
    expect(named('python').length).toBeGreaterThanOrEqual(4);
  });

  it.each(named('ts'))(
    'runs: %s',
    async (name, code) => {
      const file = `${name.replaceAll(/\W+/g, '-')}.ts`;
      writeFileSync(join(folder, file), code);
      const { stdout } = await execute(process.execPath, [file], { cwd: folder, env });
      expect(stdout.trim()).not.toBe('');
    },
    60_000,
  );

  it('compiles', async () => {
    const include = ['./*.ts', join(root, 'src', '**', '*.d.ts')];
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: join(root, 'tsconfig.json'), include }));
    await execute(join(root, 'node_modules', '.bin', 'tsc'), ['-p', folder]).catch(({ stdout }) => {
      throw new Error(stdout);
    });
  }, 60_000);

  it.for(named('python'))('runs: %s', { timeout: 60_000 }, async ([_, code], context) => {
    const { stdout } = await execute(pythonOrSkip(context), ['-c', code], { cwd: folder });
    expect(stdout.trim()).not.toBe('');
  });
});
