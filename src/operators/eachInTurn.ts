import { concatMap, finalize, map, Observable, type OperatorFunction } from 'rxjs';
import type { Step } from '../core/Step.ts';

/**
 * Works on one step after the other, as `concatMap` does. From the moment a step arrives until its work has passed on
 * what it makes, the step's source is asked to wait; once this is unsubscribed, no longer.
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
          map((step) => ({ step, release: hold(step) })),
          concatMap(({ step, release }) => work(step).pipe(finalize(release))),
        )
        .subscribe(subscriber);
    });
}
