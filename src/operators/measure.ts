import { catchError, concatMap, defer, finalize, map, Observable, type OperatorFunction, takeUntil } from 'rxjs';
import { BrinkError } from '../core/errors.ts';
import type { Objective, Point } from '../core/Objective.ts';
import type { Step } from '../core/Step.ts';
import { currentRun } from '../files/runContext.ts';
import { whenAborted } from './whenAborted.ts';

/** What a probe does at one step: ask the point, return its rows. */
export type Measurement<R> = (point: Point, step: Step) => Promise<R | readonly R[]>;

/**
 * Joins a probe to the stream: the one helper on which every probe stands.
 *
 * For each step it calls `measurement` with the objective's point at θ_t, one step after the other, and emits the row or
 * rows it returns. From the moment a step arrives until its rows are emitted the step's source is asked to wait
 * (`step.waitUntil`). On unsubscription the point given to `measurement` rejects its next call, so work ends between two
 * products, and no source is left waiting. Where a signal of the process stops the run, the rows end there in the same way.
 *
 * It does not decide how often to measure (a throttle in front of it does), nor where rows go (a sink behind it does).
 *
 * @param objective The objective that the steps belong to.
 * @param measurement Called once a step.
 * @throws BrinkError in the stream where a measurement fails; it names the step, and its cause is the failure.
 */
export function measure<R extends object>(
  objective: Objective,
  measurement: Measurement<R>,
): OperatorFunction<Step, R> {
  return (steps) =>
    new Observable<R>((subscriber) => {
      const abort = new AbortController();
      const waiting = new Set<() => void>();
      const hold = (step: Step) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        waiting.add(resolve);
        step.waitUntil(promise);
        return () => {
          waiting.delete(resolve);
          resolve();
        };
      };
      subscriber.add(() => {
        abort.abort();
        for (const release of waiting) release();
      });
      return steps
        .pipe(
          map((step) => ({ step, release: hold(step) })),
          concatMap(({ step, release }) =>
            new Observable<R>((rows) => {
              measurement(objective.at(step.weights).until(abort.signal), step).then(
                (result) => {
                  for (const row of Array.isArray(result) ? (result as readonly R[]) : [result as R]) rows.next(row);
                  rows.complete();
                },
                (error) => rows.error(error),
              );
            }).pipe(
              catchError((cause) => {
                const why = cause instanceof Error ? cause.message : String(cause);
                throw new BrinkError('measure', `step ${step.index} could not be measured. ${why}`, { cause });
              }),
              finalize(release),
            ),
          ),
          takeUntil(whenAborted(currentRun()?.stopped)),
        )
        .subscribe(subscriber);
    });
}

/** As `measure`, for a probe that carries something from step to step: `begin` is called once a subscription. */
export function measureAlong<R extends object>(
  objective: Objective,
  begin: () => Measurement<R>,
): OperatorFunction<Step, R> {
  return (steps) => defer(() => steps.pipe(measure(objective, begin())));
}
