import { hostname } from 'node:os';
import { isBeingWritten, type Writer } from './isBeingWritten.ts';

/** How often a process says that it lives, in milliseconds; a pass that takes long keeps it from saying so. */
export const HEARTBEAT = 10_000;
/** A process of another machine that has said nothing for so long is taken to be dead, in milliseconds. */
const SILENCE = 10 * 60_000;

/**
 * Whether the process that holds a file lives: on this machine it has the file open (of a run, its log); of another
 * machine its heartbeat tells, which is at most ten minutes old.
 */
export function isAlive(file: string, writer: Writer, heartbeat: string | null): boolean {
  if (writer.host === hostname()) return isBeingWritten(file, writer);
  return heartbeat !== null && Date.now() - Date.parse(heartbeat) < SILENCE;
}
