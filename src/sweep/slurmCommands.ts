import { execFileSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { BrinkError } from '../core/errors.ts';

const WHO = 'sweep';
/** What Slurm has where a site sets nothing. */
const MAX_ARRAY_SIZE = 1001;

/** A task of an array job that waits or runs. */
export interface QueuedTask {
  readonly name: string;
  readonly task: number;
}

/** How many numbers the tasks of one array may have, from 0 on; without Slurm, its default. */
export function maxArraySize(): number {
  const config = hasSlurm() ? slurm('scontrol', ['show', 'config']) : '';
  return Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(config)?.[1] ?? MAX_ARRAY_SIZE);
}

/** The tasks of this user's array jobs that wait or run. @throws BrinkError where Slurm does not answer. */
export function queuedTasks(): readonly QueuedTask[] {
  const lines = slurm('squeue', ['--noheader', '--array', `--user=${userInfo().username}`, '--format=%K %j']);
  return lines.split('\n').flatMap((line) => {
    const [, task, name] = /^(\d+) (.*)$/.exec(line.trim()) ?? [];
    return task === undefined ? [] : [{ name: name!, task: Number(task) }];
  });
}

/** Submits a script; the number of its job. @throws BrinkError with what sbatch says. */
export function submitScript(script: string): string {
  return slurm('sbatch', ['--parsable'], script).trim().split(';')[0]!;
}

/** Whether Slurm's commands are on this machine. */
export function hasSlurm(): boolean {
  try {
    execFileSync('squeue', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function slurm(command: string, args: readonly string[], input = ''): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', input, stdio: ['pipe', 'pipe', 'pipe'] });
  } catch (cause) {
    const { code, stderr = '' } = cause as NodeJS.ErrnoException & { readonly stderr?: string };
    if (code === 'ENOENT') {
      throw new BrinkError(
        WHO,
        `there is no ${command} here. Submit where Slurm's commands are (a login node), print the script by --print, or run the cells on this machine: \`brink sweep run\`.`,
        { cause },
      );
    }
    const why = stderr.trim().split('\n').slice(-3).join(' ');
    throw new BrinkError(WHO, `${command} failed: ${why || (cause as Error).message}`, { cause });
  }
}
