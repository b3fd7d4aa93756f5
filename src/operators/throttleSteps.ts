import { filter, type MonoTypeOperatorFunction } from 'rxjs';
import { requireInteger } from '../core/errors.ts';
import { requireStep, type Step } from '../core/Step.ts';

/**
 * Passes the steps whose index t has t ≡ offset (mod every), and drops the others.
 *
 * The index is the step's own, not a count of arrivals, so a live run, a resumed one and a replay pass the same
 * steps. Near the edge of stability training oscillates with period two: an even `every` sees only one side of it.
 * Costs nothing.
 *
 * @param every At least 1.
 * @param offset At least 0; default 0.
 * @throws BrinkError at the call where either is not such an integer; in the stream where something else than a step
 *   comes, such as the rows of a probe in front of it.
 */
export function throttleSteps(every: number, offset = 0): MonoTypeOperatorFunction<Step> {
  requireInteger('throttleSteps', 'every', every, 1);
  requireInteger('throttleSteps', 'offset', offset, 0);
  return filter((value) => requireStep('throttleSteps', value).index % every === offset % every);
}
