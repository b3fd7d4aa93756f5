import { hostname } from 'node:os';
import { isBeingWritten, type Writer } from '../files/isBeingWritten.ts';

/** How often a run says that it lives, in milliseconds; a pass that takes long keeps it from saying so. */
export const HEARTBEAT = 10_000;
/** A run of another machine that has said nothing for so long is taken to be dead, in milliseconds. */
const SILENCE = 10 * 60_000;

/**
 * Whether the process that is to end a run still lives: on this machine it has the run's log open; of another machine
 * its heartbeat in run.json tells, which is at most ten minutes old.
 */
export function isAlive(log: string, writer: Writer, heartbeat: string | null): boolean {
  if (writer.host === hostname()) return isBeingWritten(log, writer);
  return heartbeat !== null && Date.now() - Date.parse(heartbeat) < SILENCE;
}
