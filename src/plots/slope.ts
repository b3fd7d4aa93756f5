import { BrinkError, requireNumber } from '../core/errors.ts';
import type { Layer } from './Layer.ts';
import { path } from './path.ts';
import { requireLayer } from './readings.ts';

/** What `slope` draws: y = slope · x + intercept, or y = slope · (x − xIntercept). */
export type Slope = {
  readonly name: string;
  readonly slope: number;
  /** Default: false. */
  readonly dashed?: boolean;
  /** Default: grey. */
  readonly color?: string;
} & (
  | { readonly intercept: number; readonly xIntercept?: undefined }
  | { readonly xIntercept: number; readonly intercept?: undefined }
);

/** Points of the curve that a line becomes on a logarithmic axis. */
const CURVE = 100;

/**
 * The line of a slope across the whole frame: `intercept` is where it meets x = 0, `xIntercept` where it meets y = 0,
 * as the paper's Figure 1 has 2/η.
 *
 * @throws BrinkError unless the slope and one of the intercepts are finite numbers.
 * @example
 * import { chart, points, slope } from 'brink';
 *
 * const rows = [{ interaction: 8, change: -0.04 }, { interaction: 12, change: 0.04 }];
 * const spec = chart({
 *   description: 'The loss changes as the second order predicts.',
 *   x: { title: 'tr(HS_b)/tr(S_n)' },
 *   y: { title: 'ΔL/tr(S_n)' },
 *   layers: [
 *     points({ name: 'measured', rows, x: 'interaction', y: 'change' }),
 *     slope({ name: 'slope η²/2', slope: 0.2 ** 2 / 2, xIntercept: 10 }),
 *   ],
 * });
 * console.log('layer' in spec); // true
 */
export function slope(options: Slope): Layer {
  requireLayer('slope', options, ['name', 'slope', 'intercept', 'xIntercept', 'dashed', 'color']);
  const { name, slope: steepness, intercept, xIntercept, color, dashed } = options;
  if ((intercept === undefined) === (xIntercept === undefined)) {
    throw new BrinkError('slope', 'it takes intercept or xIntercept: one of them, not both.');
  }
  requireNumber('slope', 'slope', steepness, Number.NEGATIVE_INFINITY);
  const given = intercept === undefined ? 'xIntercept' : 'intercept';
  requireNumber('slope', given, intercept ?? xIntercept, Number.NEGATIVE_INFINITY);
  const at = (x: number) => (xIntercept === undefined ? steepness * x + intercept! : steepness * (x - xIntercept));
  return {
    entries: [{ name, kind: 'fit', color, dashed }],
    xs: () => [],
    ys: () => [],
    draw: ({ x, y, style }) => {
      const [from, to] = x.domain;
      const isStraight = !x.axis.log && !y.axis.log;
      const count = isStraight ? 2 : CURVE;
      const places = Array.from({ length: count }, (_, k) => {
        const share = k / (count - 1);
        return x.axis.log ? from * (to / from) ** share : from + (to - from) * share;
      });
      const points = places.map((place) => (y.shows(at(place)) ? { x: place, y: at(place) } : null));
      return { marks: [path(points, style(name))], notes: [] };
    },
  };
}
