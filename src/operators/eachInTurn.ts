import { catchError, concatAll, finalize, map, Observable, type OperatorFunction, of, throwError } from 'rxjs';
import type { Step } from '../core/Step.ts';

/**
 * Works on one step after the other, as `concatMap` does. From the moment a step arrives until its work has passed on
 * what it makes, the step's source is asked to wait; once this is unsubscribed, no longer. Where the steps fail, that
 * comes behind what is made of those before.
 *
 * @param work Begins once what it returns is subscribed to.
 */
export function eachInTurn<R>(work: (step: Step) => Observable<R>): OperatorFunction<Step, R> {
  return (steps) =>
    new Observable<R>((subscriber) => {
      const waiting = new Set<() => void>();

      function hold(step: Step): () => void {
        const { promise, resolve } = Promise.withResolvers<void>();
        waiting.add(resolve);
        step.waitUntil(promise);
        return () => {
          waiting.delete(resolve);
          resolve();
        };
      }

      subscriber.add(() => {
        for (const release of waiting) release();
      });
      return steps
        .pipe(
          map((step) => work(step).pipe(finalize(hold(step)))),
          catchError((error) => of(throwError(() => error))),
          concatAll(),
        )
        .subscribe(subscriber);
    });
}
