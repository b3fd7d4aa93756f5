import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, makeFolder } from '../../src/engine/install/makeFolder.ts';

/** A Python that has what `test/requirements.txt` pins, or why there is none. */
export type PythonEnvironment = { readonly python: string } | { readonly missing: string };

const REQUIREMENTS = join(import.meta.dirname, '..', 'requirements.txt');
/** What an environment depends on beside them. */
const ABOUT = 'import platform, sys; print(sys.executable, sys.version, platform.machine())';
const PACKAGES = 'import sysconfig; print(sysconfig.get_path("purelib"))';

/**
 * The environment in the user's cache folder, made where it isn't there yet.
 *
 * It has no pip of its own but takes the system's: a Python whose ensurepip is packed apart, as Debian's, will do.
 */
export async function pythonEnvironment(): Promise<PythonEnvironment> {
  let about: string;
  try {
    about = await call('python3', '-c', ABOUT);
  } catch {
    return { missing: 'there is no python3' };
  }
  const hash = createHash('sha256').update(readFileSync(REQUIREMENTS)).update(about).digest('hex');
  const folder = cacheFolder('python', hash.slice(0, 12));
  const environment = { python: join(folder, 'bin', 'python') };
  if (existsSync(folder)) return environment;
  try {
    await call('python3', '-m', 'pip', '--version');
  } catch {
    return { missing: 'Python has no pip' };
  }
  console.log('Getting pandas, polars, DuckDB and pyarrow for the tests that read tables in Python (150 MB, once) …');
  try {
    await makeFolder(folder, async (temporary) => {
      await call('python3', '-m', 'venv', '--without-pip', temporary);
      const python = join(temporary, 'bin', 'python');
      const packages = (await call(python, '-c', PACKAGES)).trim();
      const pinned = ['--require-hashes', '--only-binary=:all:', '--no-deps', '--requirement', REQUIREMENTS];
      const quiet = ['--quiet', '--disable-pip-version-check'];
      await call('python3', '-m', 'pip', 'install', ...quiet, ...pinned, '--target', packages);
      await call(python, '-c', 'import duckdb, pandas, polars, pyarrow.parquet');
    });
    return environment;
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim() || (error as Error).message;
    // What pip says last of an index that it can't reach is that there is no such package.
    const reason = said.includes('Retrying') ? 'it can’t reach its index' : said.split('\n').at(-1);
    return { missing: `pip could not get what they need (${reason})` };
  }
}

async function call(command: string, ...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(command, args)).stdout;
}
