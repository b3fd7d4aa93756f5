import { spawn } from 'node:child_process';
import { extname, join } from 'node:path';

/** The server ends by itself so many minutes after the run, where nobody looks. */
const IDLE = 10;

/**
 * Starts `brink watch` of a folder as a process of its own, and says on standard error where the page is.
 *
 * It reads the folder and nothing else, so that neither can hold the other up, and it outlives the run, so that a crash
 * can be looked at. Ctrl-C does not reach it. Where it does not start that is said, and the run goes on.
 */
export function startWatching(directory: string): void {
  const program = join(import.meta.dirname, '..', 'cli', `brink${extname(import.meta.filename)}`);
  const child = spawn(process.execPath, [program, 'watch', directory, '--idle', `${IDLE}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: what the terminal sends is for the run.
    detached: true,
  });
  let said = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (!said.includes('\n')) return;
    process.stderr.write(said);
    // From here on nobody waits for it, and it says no more.
    child.stdout.destroy();
    child.stderr.destroy();
    child.unref();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const failed = (why: string) => process.stderr.write(`the run can't be watched, and goes on: ${why.trim()}\n`);
  child.on('error', (error) => failed(error.message));
  child.on('exit', (code) => {
    if (said === '') failed(complaint || `brink watch ended with ${code}`);
  });
}
