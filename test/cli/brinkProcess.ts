import { execFile } from 'node:child_process';
import { join } from 'node:path';

/** The command line. */
export const program = join(import.meta.dirname, '../../src/cli/brink.ts');

/** Runs the command line as a shell would. */
export function brink(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = process.cwd()) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [program, ...args], { env: { ...process.env, ...env }, cwd }, (error, stdout, stderr) =>
      resolve({ code: error ? (error.code as unknown as number) : 0, stdout, stderr }),
    );
  });
}
