import { defer, filter, type MonoTypeOperatorFunction, map, takeWhile, tap } from 'rxjs';
import { requireInteger } from '../core/errors.ts';
import { madeFrom } from '../core/origin.ts';
import { requireNames } from '../core/requireNames.ts';
import type { Step } from '../core/Step.ts';
import { type Gauge, gauged } from './gauged.ts';

/** What comes after. */
export interface UntilPassedOptions {
  /** How many steps more, counted by their index; default 0. */
  readonly more?: number;
}

/**
 * Passes all steps up to the first at which something has passed a mark, and some more, and ends then.
 *
 *     s.pipe(untilPassed(topEigenvalues(), (row) => row.lambda_1 > row.edge, { more: 50 }), lossSlice(), toParquet())
 *
 * With t the index of the first step of which a row of the gauge meets the condition, the last step that passes is
 * t + `more`, or the last before where there is none of that index. The gauge measures each step up to t before it
 * passes, and none after. A branch that ends lets go of the source, and once all branches have ended training stops: in
 * front of every branch it ends the run. Which steps pass is a function of the steps and of the gauge's rows. A mark
 * that is passed for one step counts as passed. In a run that is resumed a branch that had ended has no more rows;
 * where some of the `more` steps were still to come, it is not known that the mark was passed: the first step that
 * meets the condition there counts.
 *
 * Cost: that of the gauge up to t; what it computes there, probes behind and in other branches share.
 *
 * @param gauge A probe, or a branch that ends in one: `(s) => s.pipe(throttleSteps(5), topEigenvalues())`.
 * @param condition What a row of it says.
 * @param options `more` (0).
 * @throws BrinkError at the call where `more` is no integer of at least 0; in the stream what the gauge throws.
 * @see near, firstCrossing
 */
export function untilPassed<R extends { readonly step: number }>(
  gauge: Gauge<R>,
  condition: (row: R) => boolean,
  options: UntilPassedOptions = {},
): MonoTypeOperatorFunction<Step> {
  requireNames('untilPassed', options, ['more']);
  const { more = 0 } = options;
  requireInteger('untilPassed', 'more', more, 0);
  return (steps) => {
    const passed = defer(() => {
      let last = Number.POSITIVE_INFINITY;
      const isOpen = () => last === Number.POSITIVE_INFINITY;
      const first: Gauge<R> = (s) => gauge(s.pipe(takeWhile(isOpen)));
      return gauged('untilPassed', steps, first, condition).pipe(
        tap(({ step, isMet }) => {
          if (isMet && isOpen()) last = step.index + more;
        }),
        map(({ step }) => step),
        takeWhile(({ index }) => index < last, true),
        // The one after which it ends may come later than the last.
        filter(({ index }) => index <= last),
      );
    });
    return madeFrom(passed, steps);
  };
}
