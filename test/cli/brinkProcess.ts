import { execFile } from 'node:child_process';

/** The command line. */
export const program = new URL('../../src/cli/brink.ts', import.meta.url).pathname;

/** Runs the command line as a shell would. */
export function brink(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = process.cwd()) {
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    execFile(process.execPath, [program, ...args], { env: { ...process.env, ...env }, cwd }, (error, stdout, stderr) =>
      resolve({ code: error ? (error.code as unknown as number) : 0, stdout, stderr }),
    );
  });
}
