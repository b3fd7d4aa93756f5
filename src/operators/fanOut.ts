import { map, merge, type Observable, type OperatorFunction } from 'rxjs';
import type { Step } from '../core/Step.ts';
import { connectBranches } from './connectBranches.ts';
import { requireBranches } from './requireBranches.ts';

type Branches = Readonly<Record<string, (steps: Observable<Step>) => Observable<unknown>>>;

/** A value with the name of the branch that it comes from. */
export type FannedOut<B extends Branches> = {
  readonly [K in keyof B]: {
    readonly branch: K;
    readonly value: B[K] extends (...steps: never[]) => Observable<infer R> ? R : never;
  };
}[keyof B];

/**
 * Sends every step through several branches, with one subscription to the source, and merges what they emit: `run`
 * for those who only want the streams. No folder, no log, no signal is looked at, and an error in one branch ends
 * all, as in RxJS's `merge`. Where the steps fail the branches end, and that comes behind their values.
 *
 * Cost: none beyond the branches.
 *
 * @param branches By name.
 * @throws BrinkError at the call where one is no function.
 */
export function fanOut<const B extends Branches>(branches: B): OperatorFunction<Step, FannedOut<B>> {
  requireBranches('fanOut', branches);
  const fan = (steps: Observable<Step>) =>
    merge(
      ...Object.entries(branches).map(([branch, of]) =>
        of(steps).pipe(map((value) => ({ branch, value }) as FannedOut<B>)),
      ),
    );
  return (steps) => connectBranches(steps, fan);
}
