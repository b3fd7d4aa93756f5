import { hostname } from 'node:os';
import type { Objective } from '../core/Objective.ts';
import { MACHINE } from '../files/versions.ts';
import type { RecordingHeader } from './RecordingHeader.ts';

/** Whether numbers are computed where a recording's were, in the same way: then they have the same bits. */
export function isSameMachine({ source, run, writer }: RecordingHeader, objective: Objective): boolean {
  const recorded = Object(source?.objective ?? null) as Objective['metadata'];
  const rounding = ({ engine, chunk }: Objective['metadata']) => JSON.stringify([engine ?? null, chunk ?? null]);
  return (
    writer.host === hostname() &&
    Object.entries(MACHINE).every(([name, value]) => run[name] === undefined || run[name] === value) &&
    rounding(recorded) === rounding(objective.metadata)
  );
}
