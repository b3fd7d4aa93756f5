import { BrinkError } from '../core/errors.ts';
import type { Objective } from '../core/Objective.ts';

/** Throws where batch normalisation couples examples: then gradients of single examples are not defined. */
export function requireUncoupled(who: string, objective: Objective, instead: string): void {
  if (objective.coupled) {
    throw new BrinkError(
      who,
      `it needs gradients of single examples, but batch normalisation makes the loss of one depend on the others. ${instead}`,
    );
  }
}
