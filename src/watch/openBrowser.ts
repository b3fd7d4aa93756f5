import { spawn } from 'node:child_process';

/** Opens an address in the browser that the desktop has; where there is none, that is said. */
export function openBrowser(url: string): void {
  const program = process.platform === 'darwin' ? 'open' : 'xdg-open';
  const child = spawn(program, [url], { stdio: 'ignore', detached: true });
  child.on('error', () => console.error(`watch: ${program} is not there; open the address yourself.`));
  child.unref();
}
