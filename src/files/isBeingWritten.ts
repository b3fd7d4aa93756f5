import { existsSync, readdirSync, statSync } from 'node:fs';
import { hostname } from 'node:os';

/** The process that writes a file. */
export interface Writer {
  readonly host: string;
  readonly pid: number;
}

/**
 * Whether the process that began a log on this machine still has it in hand.
 *
 * On Linux: whether it has the file open, so that a process number given out anew does not mislead. Elsewhere: whether
 * it runs. Processes of other machines are not seen. A file that is not there is in nobody's hand.
 */
export function isBeingWritten(path: string, writer: Writer | null): boolean {
  if (writer === null || writer.host !== hostname() || !existsSync(path)) return false;
  return process.platform === 'linux' ? hasOpen(writer.pid, path) : writer.pid !== process.pid && isRunning(writer.pid);
}

function hasOpen(pid: number, path: string): boolean {
  const { dev, ino } = statSync(path);
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).some((name) => {
      const open = statSync(`${folder}/${name}`, { throwIfNoEntry: false });
      return open?.dev === dev && open.ino === ino;
    });
  } catch (error) {
    // Another user's process may not be looked into: the log is taken to be in hand. One that ended has no folder.
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
