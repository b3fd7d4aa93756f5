import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
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
 *
 * @param access What it must have the file open for: 'any' counts whoever reads it too, as a process does that makes a
 *   Parquet file of its log.
 */
export function isBeingWritten(path: string, writer: Writer | null, access: 'any' | 'write' = 'any'): boolean {
  if (writer === null || writer.host !== hostname() || !existsSync(path)) return false;
  return process.platform === 'linux'
    ? hasOpen(writer.pid, path, access)
    : writer.pid !== process.pid && isRunning(writer.pid);
}

function hasOpen(pid: number, path: string, access: 'any' | 'write'): boolean {
  const { dev, ino } = statSync(path);
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).some((name) => {
      const open = statSync(`${folder}/${name}`, { throwIfNoEntry: false });
      return open?.dev === dev && open.ino === ino && (access === 'any' || isForWriting(pid, name));
    });
  } catch (error) {
    // Another user's process may not be looked into: the log is taken to be in hand. One that ended has no folder.
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}

/** What a file was opened with: the last octal digit of its flags says for what, 0 for reading alone. */
function isForWriting(pid: number, name: string): boolean {
  try {
    return /^flags:\s*\d*[1-35-7]$/m.test(readFileSync(`/proc/${pid}/fdinfo/${name}`, 'utf8'));
  } catch {
    // It was closed meanwhile.
    return false;
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
