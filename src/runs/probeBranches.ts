import type { MonoTypeOperatorFunction } from 'rxjs';
import { catalogue } from '../catalogue/probes.ts';
import type { Objective } from '../core/Objective.ts';
import { throttleSteps } from '../operators/throttleSteps.ts';
import { toParquet } from '../tables/toParquet.ts';
import { CommandLineError } from './CommandLineError.ts';
import { type Named, optionsOf } from './parseNamed.ts';
import type { Branch } from './run.ts';

/**
 * Checks probes as a command line has them, each with its options and how often it measures among them.
 *
 * @throws CommandLineError for a probe that is unknown or named twice, an unknown option or one of a wrong type.
 */
export function checkProbes(who: string, probes: readonly Named[], every: number): void {
  const names = probes.map(({ name }) => name);
  const twice = names.find((name, k) => names.indexOf(name) !== k);
  if (twice) throw new CommandLineError(who, `the probe ${twice} is named twice. Both would write one table.`);
  for (const { every: own = every, ...probe } of probes) {
    optionsOf(who, 'probe', probe, catalogue);
    if (!Number.isInteger(own) || Number(own) < 1) {
      throw new CommandLineError(who, `probe ${probe.name}: every is ${own}. It must be an integer of at least 1.`);
    }
  }
}

/** A branch for each probe, with a Parquet table. @throws BrinkError where an option is out of its range. */
export function probeBranches(objective: Objective, probes: readonly Named[], every: number): Record<string, Branch> {
  return Object.fromEntries(
    probes.map(({ name, every: own = every, ...options }): [string, Branch] => {
      const { open, table } = catalogue[name]!;
      const probe = open(objective, options);
      // Which table a probe has is known where it is declared; here only that its rows fit.
      const sink = toParquet(table) as MonoTypeOperatorFunction<object>;
      return [name, (s) => s.pipe(throttleSteps(Number(own)), probe, sink)];
    }),
  );
}
