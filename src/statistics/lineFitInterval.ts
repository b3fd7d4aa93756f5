import { numbers } from '../core/given.ts';
import { requireNames } from '../core/requireNames.ts';
import { bestLine, type Points } from './bestLine.ts';
import { type BlockIntervalOptions, blockInterval } from './blockInterval.ts';
import type { Estimate } from './Estimate.ts';
import { lineFit } from './lineFit.ts';

/** Where a row has the coordinates of a point, and their standard errors. */
export interface LineColumns<T> {
  readonly x: (row: T) => number;
  readonly y: (row: T) => number;
  /** Standard error of x; default 0. */
  readonly xError?: (row: T) => number;
  /** Standard error of y; default 0. */
  readonly yError?: (row: T) => number;
}

/** A line with the intervals of what it is asked for. */
export interface LineInterval {
  readonly slope: Estimate;
  /** Where y = 0. */
  readonly xIntercept: Estimate;
}

/**
 * The straight line of `lineFit` through the rows of a run, with the intervals of `blockInterval` for its slope and
 * for the x at which y = 0.
 *
 * The errors of the points weigh them and tell how much of the scatter of x is none of the slope's; the intervals
 * come from the scatter that there is, in blocks of neighbouring steps, whether the errors explain it or not.
 *
 * It does not prove that a line is what the points follow. Where rows drawn anew determine no line, or none that
 * crosses 0, the interval goes from −∞ to ∞.
 *
 * Cost: that of `blockInterval`, twice, with a line for each draw: about ten passes over the rows.
 *
 * @param rows In the order of their steps, equally far apart.
 * @param columns `x` and `y`, and `xError` and `yError` (0), of a row.
 * @param options `resamples` (1000), `seed` (0).
 * @throws BrinkError for what `lineFit` and `blockInterval` refuse, and for a column of another name.
 * @example
 * import { lineFitInterval } from 'brink';
 *
 * const rows = Array.from({ length: 40 }, (_, t) => ({ x: t, y: 2 * (t - 10) + (t % 3) - 1 }));
 * const { slope, xIntercept } = lineFitInterval(rows, { x: (row) => row.x, y: (row) => row.y });
 * console.log(slope.value.toFixed(2), xIntercept.value.toFixed(1)); // 2.00 10.0
 * @see lineFit, blockInterval
 */
export function lineFitInterval<T>(
  rows: readonly T[],
  columns: LineColumns<T>,
  options?: BlockIntervalOptions,
): LineInterval {
  requireNames('lineFitInterval', columns, ['x', 'y', 'xError', 'yError']);
  const { x, y, xError = () => 0, yError = () => 0 } = columns;
  const of = (name: string, column: (row: T) => number) => numbers('lineFitInterval', name, rows.map(column));
  const whole = { x: of('x', x), y: of('y', y), xError: of('xError', xError), yError: of('yError', yError) };
  lineFit(whole); // which refuses what it must
  const indices = rows.map((_, k) => k);
  const intervalOf = (property: 'slope' | 'xIntercept') =>
    blockInterval(indices, (drawn: readonly number[]) => bestLine(pointsAt(whole, drawn))[property], options);
  return { slope: intervalOf('slope'), xIntercept: intervalOf('xIntercept') };
}

function pointsAt({ x, y, xError, yError }: Points, indices: readonly number[]): Points {
  const at = (values: ArrayLike<number>) => {
    const out = new Float64Array(indices.length);
    for (let k = 0; k < out.length; k++) out[k] = values[indices[k]!]!;
    return out;
  };
  return { x: at(x), y: at(y), xError: at(xError), yError: at(yError) };
}
