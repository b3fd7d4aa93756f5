import { spawnSync } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BrinkError } from '../src/core/errors.ts';

const REQUIREMENTS = fileURLToPath(new URL('./requirements.txt', import.meta.url));
const ENVIRONMENT = fileURLToPath(new URL('./.venv/', import.meta.url));
/** Pip's record of an installation that came to its end; moved into place last. */
const RECORD = `${ENVIRONMENT}installed.json`;

/**
 * The path of a Python that has the PyTorch of `requirements.txt`; the first call makes it, in `bench/.venv`.
 *
 * @throws BrinkError where there is no `python3`, or the installation fails.
 */
export function torchPython(): string {
  const python = `${ENVIRONMENT}bin/python`;
  if (existsSync(RECORD)) return python;
  rmSync(ENVIRONMENT, { recursive: true, force: true });
  console.error(`installing ${REQUIREMENTS} into ${ENVIRONMENT}, several minutes, once`);
  call('python3', '-m', 'venv', ENVIRONMENT);
  call(python, '-m', 'pip', 'install', '--quiet', '--report', `${RECORD}.part`, '--requirement', REQUIREMENTS);
  renameSync(`${RECORD}.part`, RECORD);
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
