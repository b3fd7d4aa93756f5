import { resolve } from 'node:path';
import { isBeingWritten } from '../files/isBeingWritten.ts';
import type { OpenRecording } from './openRecording.ts';
import { isInHand } from './RecordingFile.ts';

/**
 * What to say of a recording that stops without the mark of its end while nobody is writing it: the run was cut off, or
 * the file was, and lacks steps. Null where its end is marked, or still to come.
 */
export function cutShort({ path, header, indices, isEnded, damage }: OpenRecording): string | null {
  const isOwn = header.writer.pid === process.pid;
  // The process that reads has the file open too.
  const isInWork = isInHand(resolve(path)) || (!isOwn && isBeingWritten(path, header.writer));
  if (isEnded || damage || isInWork) return null;
  const place = indices.length === 0 ? 'its beginning' : `step ${indices.at(-1)}`;
  return (
    `its end is not marked behind ${place}: ` +
    'the run was cut off there, or the file was, and then later steps are missing'
  );
}
