import type { WatchedRun } from '../WatchState.ts';
import { count } from './count.ts';
import { shortNumber } from './scales.ts';

/** How a run stands, in a sentence: what everybody wants to know first. */
export function stateSentence(run: WatchedRun, lastStep: number | null, now: number): string {
  const total = totalOf(run);
  const reached = lastStep ?? run.step;
  const of = total === null ? '' : ` of ${total}`;
  const rows = Math.max(0, ...run.tables.map((table) => table.rows));
  // Of a run in a list the newest step is not read, where run.json does not say it.
  const begun = rows === 0 ? 'before its first row' : `with ${count(rows, 'row')}`;
  const at = reached === null ? begun : `at step ${reached}${of}`;
  const heard = run.heartbeat === null ? null : Math.max(0, Math.round((now - Date.parse(run.heartbeat)) / 1000));
  switch (run.state) {
    case 'running':
      // A heart that beats each ten seconds has stood still, or the pass takes that long.
      return heard !== null && heard > 40 ? `running, ${at}; it last said so ${duration(heard)} ago` : `running, ${at}`;
    case 'cut off':
      return `cut off ${at}: its process is gone`;
    case 'finished':
    case 'stopped':
      return `${run.state}${ended(run)}`;
    case 'diverged':
      return `diverged${reached === null ? '' : ` after step ${reached}`}${ended(run)}`;
    default:
      return `${run.state}${ended(run)}`;
  }
}

/** The newest step that run.json speaks of: once a run has ended, how many it took tells. */
export const lastStepOf = ({ step, steps }: WatchedRun): number | null => step ?? (steps === null ? null : steps - 1);

/** How many updates it is to take; null where it does not say. */
export function totalOf({ source }: WatchedRun): number | null {
  const steps = source?.steps;
  return typeof steps === 'number' ? steps : null;
}

function ended({ steps, seconds }: WatchedRun): string {
  if (steps === null) return '';
  return `: ${count(steps, 'step')}${seconds === null ? '' : ` in ${duration(seconds)}`}`;
}

/** A time in the unit that fits. */
export function duration(seconds: number): string {
  if (seconds < 120) return `${seconds < 10 ? Number(seconds.toFixed(1)) : Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** What is trained and how, from what the run says of its source. */
export function sourceWords({ source }: WatchedRun): string {
  if (source === null) return '';
  const { objective, ...options } = source as { objective?: Record<string, unknown> };
  const named = (value: unknown) => (typeof value === 'string' ? value : (value as { name?: string } | null)?.name);
  const { model, data, loss } = objective ?? {};
  const parts = [named(model), named(data), named(loss)].filter((part) => part !== undefined);
  const plain = Object.entries(options as Record<string, unknown>)
    .filter(
      ([name, value]) => ['learningRate', 'batchSize', 'beta1', 'seed'].includes(name) && value !== 0 && value !== null,
    )
    .map(([name, value]) => `${SYMBOLS[name] ?? name} ${typeof value === 'object' ? 'scheduled' : value}`);
  return [...parts, ...plain].join(' · ');
}
const SYMBOLS: Readonly<Record<string, string>> = { learningRate: 'η', batchSize: 'b', beta1: 'β₁' };

/** A number that was read off, with its step, and how far that is from the cursor. */
export function reading(label: string, value: number | null, step: number, cursor: number): string {
  const apart = step - cursor;
  const far = apart === 0 ? '' : `, ${Math.abs(apart)} ${apart < 0 ? 'before' : 'after'} the cursor`;
  return `${label} ${value === null ? 'has no value' : shortNumber(value)} at step ${step}${far}`;
}

/** How some numbers went, as `brink show` says it. */
export function course(label: string, first: number, last: number, least: number, largest: number): string {
  return `${label} ${shortNumber(first)} → ${shortNumber(last)}, in ${shortNumber(least)} … ${shortNumber(largest)}`;
}
