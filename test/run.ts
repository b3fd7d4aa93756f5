/**
 * `npm test`: Vitest, with whatever arguments follow; `--all` has every test run on every engine, and those that take
 * minutes.
 *
 * Vite takes `#` and `?` in a path for parts of an address and decodes `%`. A clone within such a folder is tested
 * through a link that has another name; `vitest.config.ts` sees to it that nobody looks behind the link.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const rest = process.argv.slice(2).filter((argument) => argument !== '--all');
const isAll = rest.length < process.argv.length - 2;

function run(folder: string, ...options: string[]): void {
  const vitest = [join(folder, 'node_modules/vitest/vitest.mjs'), 'run', '--root', folder, ...rest];
  // Tests start brink hundreds of times: it is compiled once.
  const env = {
    ...process.env,
    NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compiled'),
    ...(isAll && { BRINK_TEST_ALL: 'yes' }),
  };
  const { status, error } = spawnSync(process.execPath, [...options, ...vitest], {
    ...{ cwd: folder, env, stdio: 'inherit' },
  });
  if (error) throw error;
  process.exitCode = status ?? 1;
}

if (/[#?%]/.test(root)) {
  const parent = mkdtempSync(join(tmpdir(), 'brink-test-'));
  const link = join(parent, 'brink');
  symlinkSync(root, link);
  try {
    run(link, '--preserve-symlinks', '--preserve-symlinks-main');
  } finally {
    rmSync(parent, { recursive: true });
  }
} else {
  run(root);
}
