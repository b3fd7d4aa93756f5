import { defer, filter, type MonoTypeOperatorFunction, map } from 'rxjs';
import { BrinkError, requireNumber } from '../core/errors.ts';
import { madeFrom } from '../core/origin.ts';
import { requireNames } from '../core/requireNames.ts';
import { derivedStep, requireStep, type Step } from '../core/Step.ts';

/** Where the time comes from. */
export interface ThrottleBudgetOptions {
  /** A clock that never goes back, in milliseconds; default `performance.now`. */
  readonly now?: () => number;
}

/**
 * Passes a step only while the probes behind it have used at most `share` of the time since the first step.
 *
 *     busy(t) ≤ share · (now − time of the first step)
 *
 * Busy is every moment in which something that was registered on a passed step (`step.waitUntil`) had not settled,
 * the emission itself included. The first step always passes; a step that doesn't pass is dropped, nothing is queued.
 * Over a run the probes use `share` of the time and at most one probe more.
 *
 * Which steps pass depends on the machine: for rows that a second run repeats, use `throttleSteps`. Time that other
 * branches use counts as time passed, not as busy. Costs nothing.
 *
 * @param share Above 0, at most 1.
 * @param options `now`.
 * @throws BrinkError at the call where share lies outside.
 */
export function throttleBudget(share: number, options: ThrottleBudgetOptions = {}): MonoTypeOperatorFunction<Step> {
  requireNumber('throttleBudget', 'share', share, 0);
  if (share > 1) throw new BrinkError('throttleBudget', `share is ${share}. It must be above 0 and at most 1.`);
  requireNames('throttleBudget', options, ['now']);
  const { now = () => performance.now() } = options;
  return (steps) => {
    const passed = defer(() => {
      let start: number | undefined;
      let busy = 0;
      let busySince = 0;
      let pending = 0;
      const track = (promise: Promise<unknown>) => {
        const settle = () => {
          pending--;
          if (pending === 0) busy += now() - busySince;
        };
        if (pending === 0) busySince = now();
        pending++;
        promise.then(settle, settle);
      };
      const isWithinBudget = () => {
        const time = now();
        start ??= time;
        return busy + (pending > 0 ? time - busySince : 0) <= share * (time - start);
      };
      return steps.pipe(
        filter(isWithinBudget),
        map((value) => {
          const step = requireStep('throttleBudget', value);
          track(Promise.resolve()); // settles when the emission is over
          return derivedStep(step, step.run, track);
        }),
      );
    });
    return madeFrom(passed, steps);
  };
}
