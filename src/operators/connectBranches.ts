import { catchError, concat, connect, defer, EMPTY, type Observable, throwError } from 'rxjs';
import { madeFrom } from '../core/origin.ts';
import type { Step } from '../core/Step.ts';

/**
 * Makes something of steps that several branches share, with one subscription to them. Where the steps fail the
 * branches end, and that comes behind what they make of those before.
 */
export function connectBranches<R>(
  steps: Observable<Step>,
  fan: (shared: Observable<Step>) => Observable<R>,
): Observable<R> {
  const made = defer(() => {
    let failure: Observable<never> = EMPTY;
    const ending = steps.pipe(
      catchError((error) => {
        failure = throwError(() => error);
        return EMPTY;
      }),
    );
    return concat(
      ending.pipe(connect((shared) => fan(madeFrom(shared, steps)))),
      defer(() => failure),
    );
  });
  return madeFrom(made, steps);
}
