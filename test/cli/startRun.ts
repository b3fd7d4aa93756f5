import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';

const program = join(import.meta.dirname, 'endlessRun.ts');

export interface RunningProcess {
  readonly child: ChildProcess;
  /** Resolves when the process has printed a line with this text. */
  said(text: string): Promise<void>;
  /** How it ended, and what it printed. */
  readonly ended: Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>;
}

/** Starts `endlessRun.ts`. */
export const startRun = (...args: readonly string[]): RunningProcess => startProgram(program, ...args);

/** Starts a program in TypeScript. */
export function startProgram(program: string, ...args: readonly string[]): RunningProcess {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  const heard = new EventEmitter();
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
    heard.emit('more');
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
    heard.emit('more');
  });
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, stdout, stderr }));
  return {
    child,
    ended,
    said: async (text) => {
      while (!(stdout + stderr).includes(text)) {
        await Promise.race([
          once(heard, 'more'),
          ended.then(() => Promise.reject(new Error(`it ended without '${text}': ${stdout}${stderr}`))),
        ]);
      }
    },
  };
}
