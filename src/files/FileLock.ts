import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { hasFields } from '../core/hasFields.ts';
import { HEARTBEAT, isAlive } from './isAlive.ts';
import type { Writer } from './isBeingWritten.ts';
import { realPath } from './realPath.ts';

/** Beside the file itself, also where a link to it is named. */
const lockOf = (path: string) => `${realPath(path)}.lock`;

/** The living process that holds the lock of a file; null where nobody does, also where a crash left the lock. */
export function holderOf(path: string): Writer | null {
  const lock = lockOf(path);
  try {
    const holder: unknown = JSON.parse(readFileSync(lock, 'utf8'));
    if (!hasFields(holder, { host: ['string'], pid: ['integer'] })) return null;
    const writer = holder as unknown as Writer;
    return isAlive(lock, writer, statSync(lock).mtime.toISOString()) ? writer : null;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/**
 * Keeps other processes from a file that is gone on with: `<path>.lock` names the process, which has it open.
 *
 * It ends with its process, however that ends: what a crash leaves of it is nobody's, and goes when the next process
 * takes it. One on another machine is seen by the time of the lock, which it renews as a run does its heartbeat.
 */
export class FileLock {
  readonly #lock: string;
  readonly #file: number;
  readonly #heart: NodeJS.Timeout;

  private constructor(lock: string, file: number) {
    this.#lock = lock;
    this.#file = file;
    this.#heart = setInterval(() => this.#beat(), HEARTBEAT).unref();
  }

  /**
   * Takes the lock of a file; gives the process that has it instead, where one does: this one, too.
   *
   * @throws Error of the file system where there can be no lock.
   */
  static take(path: string): FileLock | Writer {
    const lock = lockOf(path);
    // Made under a name of its own, so that a lock never stands without saying whose it is. Process numbers do not do:
    // in containers that share a folder they are the same.
    const own = `${lock}.${randomUUID()}`;
    const file = openSync(own, 'wx');
    try {
      writeSync(file, JSON.stringify({ host: hostname(), pid: process.pid } satisfies Writer));
      for (;;) {
        try {
          linkSync(own, lock);
          return new FileLock(lock, file);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        }
        const stale = inodeOf(lock);
        const holder = holderOf(path);
        if (holder) {
          closeSync(file);
          return holder;
        }
        if (stale !== null) removeStale(lock, `${own}.stale`, stale);
      }
    } catch (error) {
      closeSync(file);
      throw error;
    } finally {
      rmSync(own, { force: true });
    }
  }

  /** As `take`; null on a file system that has no links, and so no locks. */
  static takeIfAny(path: string): FileLock | Writer | null {
    try {
      return FileLock.take(path);
    } catch (cause) {
      if (['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes((cause as NodeJS.ErrnoException).code ?? ''))
        return null;
      throw cause;
    }
  }

  release(): void {
    clearInterval(this.#heart);
    if (inodeOf(this.#lock) === fstatSync(this.#file).ino) rmSync(this.#lock, { force: true });
    closeSync(this.#file);
  }

  #beat(): void {
    try {
      utimesSync(this.#lock, new Date(), new Date());
    } catch {
      // The folder is gone, or can't be written any more: whoever writes the file itself says so.
    }
  }
}

/** Takes a lock that a crash has left away, unless it is another's by now: that one is put back. */
function removeStale(lock: string, aside: string, stale: number): void {
  try {
    renameSync(lock, aside);
    if (inodeOf(aside) !== stale) linkSync(aside, lock);
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

const inodeOf = (path: string): number | null => statSync(path, { throwIfNoEntry: false })?.ino ?? null;
