import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BrinkError } from '../src/core/errors.ts';

const REQUIREMENTS = fileURLToPath(new URL('./requirements.txt', import.meta.url));
const ENVIRONMENT = fileURLToPath(new URL('./.venv/', import.meta.url));
/** The requirements of an installation that came to its end; copied last. */
const INSTALLED = `${ENVIRONMENT}requirements.txt`;

/**
 * The path of a Python that has what `requirements.txt` pins; the first call, and the first after a change of it,
 * installs that in `bench/.venv`.
 *
 * @throws BrinkError where there is no `python3`, or the installation fails.
 */
export function torchPython(): string {
  const python = `${ENVIRONMENT}bin/python`;
  if (existsSync(INSTALLED) && readFileSync(INSTALLED, 'utf8') === readFileSync(REQUIREMENTS, 'utf8')) return python;
  console.error(`installing ${REQUIREMENTS} into ${ENVIRONMENT}, several minutes, once`);
  call('python3', '-m', 'venv', ENVIRONMENT);
  call(python, '-m', 'pip', 'install', '--quiet', '--requirement', REQUIREMENTS);
  copyFileSync(REQUIREMENTS, INSTALLED);
  return python;
}

function call(program: string, ...args: string[]): void {
  const { status, error } = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status === 0) return;
  throw new BrinkError(
    'torchPython',
    `${program} ${args.join(' ')} failed (${error?.message ?? `exit status ${status}`}). The bench compares with PyTorch; it needs python3 with venv, and a way to PyPI.`,
  );
}
