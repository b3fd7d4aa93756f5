import type { RunSummary } from '../runs/run.ts';

/** A run's summary as JSON, errors as their messages. */
export function printSummary(summary: RunSummary): void {
  const plain = (_: string, value: unknown) => (value instanceof Error ? value.message : value);
  console.log(JSON.stringify(summary, plain, 2));
}
