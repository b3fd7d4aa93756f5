import { BrinkError } from '../core/errors.ts';
import { shown } from '../core/shown.ts';

/** Throws unless `branches` are functions by name. */
export function requireBranches(who: string, branches: unknown): void {
  if (typeof branches !== 'object' || branches === null || Array.isArray(branches)) {
    throw new BrinkError(
      who,
      `the branches are ${shown(branches)}. They are functions by name, such as { loss: (s) => s.pipe(trainingLoss()) }.`,
    );
  }
  for (const [name, branch] of Object.entries(branches)) {
    if (typeof branch === 'function') continue;
    throw new BrinkError(
      who,
      `the branch ${name} is ${shown(branch)}. It is a function from the steps to what becomes of them, such as (s) => s.pipe(trainingLoss()).`,
    );
  }
}
