import { probes } from '../catalogue/probes.ts';
import { throttleSteps } from '../operators/throttleSteps.ts';
import type { Branch } from './branches.ts';
import { CommandLineError } from './CommandLineError.ts';
import { type Named, optionsOf } from './parseNamed.ts';
import { type SinkName, toSinks } from './tableSinks.ts';

/**
 * Checks probes as a command line has them, each with its options and how often it measures among them.
 *
 * @throws CommandLineError for a probe that is unknown or named twice, an unknown option or one of a wrong type.
 */
export function checkProbes(who: string, named: readonly Named[], every: number): void {
  const names = named.map(({ name }) => name);
  const twice = names.find((name, k) => names.indexOf(name) !== k);
  if (twice) throw new CommandLineError(who, `the probe ${twice} is named twice. Both would write one table.`);
  for (const { every: own = every, ...probe } of named) {
    optionsOf(who, 'probe', probe, probes);
    if (!Number.isInteger(own) || Number(own) < 1) {
      throw new CommandLineError(who, `probe ${probe.name}: every is ${own}. It must be an integer of at least 1.`);
    }
  }
}

/**
 * A branch for each probe, with its table in each of the sinks: both have the table's name.
 *
 * @param replacement Whether training draws its batches with replacement: a probe draws them so too, where it does not
 *   say otherwise; undefined: unknown.
 * @throws BrinkError where an option is out of its range.
 */
export function probeBranches(
  named: readonly Named[],
  every: number,
  sinks: readonly SinkName[] = ['parquet'],
  replacement?: boolean,
): Record<string, Branch> {
  return Object.fromEntries(
    named.map(({ name, every: own = every, ...options }): [string, Branch] => {
      const probe = probes[name]!;
      const draws = replacement !== undefined && 'replacement' in probe.declaration.options;
      const measured = probe(draws ? { replacement, ...options } : options);
      const write = toSinks(sinks, probe.table.name);
      return [probe.table.name, (s) => s.pipe(throttleSteps(Number(own)), measured, write)];
    }),
  );
}
