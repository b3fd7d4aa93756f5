import { BrinkError } from '../core/errors.ts';
import type { HessianProduct, Objective } from '../core/Objective.ts';

/** Throws where batch normalisation couples examples: then gradients of single examples are not defined. */
export function requireUncoupled(who: string, objective: Objective, instead: string): void {
  if (objective.coupled) {
    throw new BrinkError(
      who,
      `it needs gradients of single examples, but batch normalisation makes the loss of one depend on the others. ${instead}`,
    );
  }
}

/** g_iᵀv, [n]; throws where an objective of the user's own, whose examples are not coupled, gives none. */
export function projectionsOf({ projections }: HessianProduct): Float64Array {
  if (projections !== null) return projections;
  throw new BrinkError(
    'hessianVector',
    'the g_iᵀv that was returned is null, and gradients of single examples are needed. Return them with H v, a ' +
      'Float64Array of n entries; where the examples are coupled, `coupled: true` says so.',
  );
}
