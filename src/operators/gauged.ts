import { defer, map, Observable, Subject, tap } from 'rxjs';
import { branchOf, madeFrom } from '../core/origin.ts';
import { openAgain, requireStep, type Step } from '../core/Step.ts';
import { eachInTurn } from './eachInTurn.ts';
import { stretchOf } from './stretchOf.ts';

/** What measures at steps, so that others need not: a probe, or a branch with a throttle in front of one. */
export type Gauge<R extends { readonly step: number }> = (steps: Observable<Step>) => Observable<R>;

/** A step with what its gauge says. */
export interface Gauged {
  readonly step: Step;
  readonly isMet: boolean;
}

/**
 * Lets a gauge measure each step before it passes, and says whether one of the gauge's rows of that step meets a
 * condition: the root of `near` and `untilPassed`.
 *
 * Where the gauge has no row of a step, the answer of the one before stands; before its first row, and where the run's
 * probes begin afresh, the answer is false. So it is a function of the steps and of the gauge's rows alone. The source
 * waits for the gauge and for those behind.
 */
export function gauged<R extends { readonly step: number }>(
  who: string,
  steps: Observable<Step>,
  gauge: Gauge<R>,
  condition: (row: R) => boolean,
): Observable<Gauged> {
  const answers = new Observable<Gauged>((subscriber) => {
    const asked = new Subject<Step>();
    const rows = gauge(madeFrom(asked.asObservable(), steps));
    const ended = Promise.withResolvers<void>();
    const branch = branchOf(steps);
    const none = { step: -1, isMet: false };
    let last = none;
    let stretch = 0;

    const ask = async (step: Step): Promise<Gauged> => {
      const now = stretchOf(step, branch);
      if (now !== stretch) last = none;
      stretch = now;
      const own = openAgain(step);
      asked.next(own.step);
      await own.settled();
      return { step, isMet: last.isMet };
    };

    subscriber.add(
      rows
        .pipe(
          tap((row) => {
            last = { step: row.step, isMet: condition(row) || (row.step === last.step && last.isMet) };
          }),
        )
        .subscribe({ error: (error) => subscriber.error(error), complete: ended.resolve }),
    );
    subscriber.add(
      steps
        .pipe(
          map((value) => requireStep(who, value)),
          eachInTurn((step) => defer(() => ask(step))),
        )
        .subscribe({
          next: (answer) => subscriber.next(answer),
          error: (error) => subscriber.error(error),
          complete: () => {
            // A sink behind the gauge has its file whole before the end passes.
            asked.complete();
            ended.promise.then(() => subscriber.complete());
          },
        }),
    );
  });
  return madeFrom(answers, steps);
}
