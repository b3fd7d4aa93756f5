import { availableParallelism, cpus, loadavg } from 'node:os';

/**
 * What a figure rests on beside its code: machine, load, versions, date. Called at the end, so that the load is the
 * run's.
 */
export function conditions(versions: readonly string[]): string {
  const load = loadavg().map((value) => value.toFixed(1));
  return [
    `Machine: ${availableParallelism()} cores, ${cpus()[0]!.model.trim()}; load average at the end ${load.join(', ')} (1, 5, 15 minutes).`,
    `Versions: ${[`Node ${process.versions.node}`, ...versions].join('; ')}.`,
    `Date: ${new Date().toISOString().slice(0, 10)}.`,
  ].join('\n');
}
