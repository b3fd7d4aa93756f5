import { BrinkError, requireInteger } from '../core/errors.ts';
import type { Objective } from '../core/Objective.ts';

/** Throws unless `count` is an integer from `least` to the number of parameters. */
export function requireCount(who: string, name: string, count: number, objective: Objective, least: number): void {
  requireInteger(who, name, count, least);
  if (count > objective.paramCount) {
    throw new BrinkError(
      who,
      `${name} is ${count}, but H has only ${objective.paramCount} eigenvalues. Ask for fewer.`,
    );
  }
}
