import { mean, standardError } from '../linalg/vector.ts';
import type { Estimate } from './gradientNoise.ts';
import type { MomentTrace } from './secondMoments.ts';

/**
 * Σ_t above_t/Σ_t below_t over the steps that it was told of: ρ of a run for above = ‖∇L‖² and below = tr(S_b). A ratio
 * of sums, unlike a mean of ratios, is not ruled by the steps at which the gradient is small.
 *
 * The standard error is that of the draws alone, which are independent from step to step: of the sum over these steps,
 * and not of what other steps, or another seed, would have given. Successive steps are correlated and ρ falls along
 * training, so nothing in the series itself says that; `rhoOfRun` has blocks for it.
 */
export function runningRatio(): (above: number, below: MomentTrace) => Estimate {
  let [sumAbove, sumBelow, variance] = [0, 0, 0];
  return (above, { exact, traces }) => {
    sumAbove += above;
    sumBelow += exact + mean(traces);
    variance += standardError(traces) ** 2;
    const value = sumAbove / sumBelow;
    return { value, standardError: (value * Math.sqrt(variance)) / sumBelow };
  };
}
