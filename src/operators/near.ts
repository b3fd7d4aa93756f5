import { filter, type MonoTypeOperatorFunction, map } from 'rxjs';
import { requireInteger } from '../core/errors.ts';
import { requireNames } from '../core/requireNames.ts';
import type { Step } from '../core/Step.ts';
import { type Gauge, gauged } from './gauged.ts';

/** How often, where nothing is near. */
export interface NearOptions {
  /** Passes the steps whose index is a multiple of it, whatever the gauge says; default: none. */
  readonly otherwise?: number;
}

/**
 * Passes each step at which something is near, and of the others every tenth, say: lets the rows of one probe decide
 * where a dearer one measures.
 *
 *     s.pipe(near(topEigenvalues(), (row) => row.lambda_1 > 0.9 * row.edge, { otherwise: 10 }), lossSlice())
 *
 * The gauge measures each step before it passes; where it has several rows of a step, one that meets the condition is
 * enough. A gauge with a throttle of its own, `(s) => s.pipe(throttleSteps(3), topEigenvalues())`, costs less; at the
 * steps between, its last answer stands, but where the run, or its probes (`restartEvery`), have begun afresh since
 * then. Which steps pass is a function of the steps and of the gauge's rows, so a replay passes the same ones. What
 * comes near and goes between two rows of the gauge is not seen.
 *
 * Cost: that of the gauge at each step that it measures; what it computes there, probes behind and in other branches
 * share. Its rows go nowhere else: a branch that keeps them, `(s) => s.pipe(topEigenvalues(), toParquet())`, computes
 * nothing twice.
 *
 * @param gauge A probe, or a branch that ends in one.
 * @param condition What a row of it says.
 * @param options `otherwise` (none).
 * @throws BrinkError at the call where `otherwise` is no integer of at least 1; in the stream what the gauge throws.
 * @see untilPassed, throttleSteps, throttleBudget
 */
export function near<R extends { readonly step: number }>(
  gauge: Gauge<R>,
  condition: (row: R) => boolean,
  options: NearOptions = {},
): MonoTypeOperatorFunction<Step> {
  requireNames('near', options, ['otherwise']);
  const { otherwise } = options;
  if (otherwise !== undefined) requireInteger('near', 'otherwise', otherwise, 1);
  return (steps) =>
    gauged('near', steps, gauge, condition).pipe(
      filter(({ step, isMet }) => isMet || (otherwise !== undefined && step.index % otherwise === 0)),
      map(({ step }) => step),
    );
}
