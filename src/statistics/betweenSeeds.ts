import { numbers } from '../core/given.ts';
import type { Estimate } from './Estimate.ts';
import { studentQuantile } from './studentQuantile.ts';

/**
 * The mean over independent runs, x̄ ± t·s/√n, with Student's t for n − 1 degrees of freedom: what a claim about
 * training in general, rather than about one run, rests on.
 *
 * It takes the runs as independent (seeds of their own) and their numbers as about normal, and proves neither. With
 * one run there is no interval: it goes from −∞ to ∞.
 *
 * @param values One number a run.
 * @throws BrinkError where one is not finite.
 * @example
 * import { betweenSeeds } from 'brink';
 *
 * const { value, low, high } = betweenSeeds([1.02, 0.98, 1.01]);
 * console.log(value.toFixed(3), low.toFixed(3), high.toFixed(3)); // 1.003 0.952 1.055
 * @see blockInterval
 */
export function betweenSeeds(values: readonly number[]): Estimate {
  const x = numbers('betweenSeeds', 'values', values);
  const size = x.length;
  const value = x.reduce((sum, v) => sum + v, 0) / size;
  if (size < 2) {
    const [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    return { value, low, high, method: 'none: fewer than two seeds', size, effectiveSize: size };
  }
  const variance = x.reduce((sum, v) => sum + (v - value) ** 2, 0) / (size - 1);
  const half = studentQuantile(0.95, size - 1) * Math.sqrt(variance / size);
  const method = `Student's t between ${size} seeds`;
  return { value, low: value - half, high: value + half, method, size, effectiveSize: size };
}
