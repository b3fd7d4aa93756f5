import { BrinkError } from '../core/errors.ts';
import { numbers } from '../core/given.ts';
import { requireNames } from '../core/requireNames.ts';
import { bestLine, type FittedLine } from './bestLine.ts';

/** Points, each with the standard errors of both coordinates. */
export interface LinePoints {
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** Standard error of each x; default 0. */
  readonly xError?: readonly number[];
  /** Standard error of each y; default 0. */
  readonly yError?: readonly number[];
}

const WHO = 'lineFit';

/**
 * The straight line through points that are known only up to errors, in both coordinates.
 *
 * It minimises Σ_i W_i (y_i − a − b x_i)², W_i = 1/(σ_{y,i}² + b² σ_{x,i}²), the likelihood of independent normal
 * errors, by York's iteration. Ordinary least squares takes x as exact and finds a slope too small by about
 * 1/(1 + σ_x²/var x) where it isn't. With all errors 0 it is ordinary least squares.
 *
 * The iteration begins at least squares, and ends at the minimum there. Where the errors of x are about as large as the
 * spread of x there can be another, lower one, or none that it reaches: the points hardly know their slope then.
 *
 * `slopeError` takes the errors as right and the line as true; it does not prove either. Neighbours in a run err
 * together, which it doesn't know and `lineFitInterval` does.
 *
 * Cost: about ten passes over the points.
 *
 * Source: York, Evensen, Martínez and Delgado (2004), Unified equations for the slope, intercept, and standard errors
 * of the best straight line.
 *
 * @param points `x` and `y`, and `xError` and `yError` (0), each as many.
 * @throws BrinkError where lengths differ, a number is not finite, an error is negative, or a point has none in either
 *   coordinate while others do.
 * @example
 * import { lineFit } from 'brink';
 *
 * const { slope, xIntercept } = lineFit({ x: [1, 2, 3, 4], y: [-1, 1, 3, 5], xError: [0.1, 0.1, 0.1, 0.1] });
 * console.log(slope.toFixed(6), xIntercept.toFixed(6)); // 2.000000 1.500000
 * @see lineFitInterval
 */
export function lineFit(points: LinePoints): FittedLine {
  requireNames(WHO, points, ['x', 'y', 'xError', 'yError']);
  const x = numbers(WHO, 'x', points.x);
  const n = x.length;
  const y = numbers(WHO, 'y', points.y, n);
  const errors = (name: 'xError' | 'yError') => {
    const given = numbers(WHO, name, points[name] ?? new Array(n).fill(0), n);
    const k = given.findIndex((error) => error < 0);
    if (k >= 0) throw new BrinkError(WHO, `${name}[${k}] is ${given[k]}. A standard error is at least 0.`);
    return given;
  };
  const all = { x, y, xError: errors('xError'), yError: errors('yError') };
  const isExact = (_: number, k: number) => all.xError[k] === 0 && all.yError[k] === 0;
  const exact = x.findIndex(isExact);
  if (exact >= 0 && !x.every(isExact)) {
    throw new BrinkError(
      WHO,
      `point ${exact} has no error in either coordinate, and others do. The line would pass through it whatever they say; give it its error.`,
    );
  }
  return bestLine(all);
}
