import { BrinkError } from '../core/errors.ts';
import { shown } from '../core/shown.ts';
import type { Drawing, Entry, Frame, Layer, Mark } from './Layer.ts';
import { counted, notShown } from './notShown.ts';
import { path } from './path.ts';
import { type Reading, readAll, readNumbers, requireLayer } from './readings.ts';
import { CIRCLE, SYMBOL_SIZE } from './styles.ts';
import { thinPoints } from './thinPoints.ts';

/** What `points` draws. */
export interface Points<R extends object> {
  /** In the legend. Layers of one name look alike. */
  readonly name: string;
  readonly rows: readonly R[];
  readonly x: Reading<R>;
  readonly y: Reading<R>;
  /** Standard errors, drawn as bars of one to both sides. */
  readonly xError?: Reading<R>;
  readonly yError?: Reading<R>;
  /** Colours by a category (text, true and false), each with a name in the legend, or by a number, on a scale. */
  readonly colorBy?: Reading<R, string | boolean | number | null | undefined>;
  /** Default: the next of the palette. */
  readonly color?: string;
}

/** More points than this of one look are dots of one path; fewer are symbols, each a shape of its own. */
const MOST_SYMBOLS = 400;
/** What is drawn at most, so that the picture stays small. */
const MOST_DOTS = 6000;
const MOST_COLORED = 1000;

interface Dot {
  readonly x: number;
  readonly y: number;
  readonly xError: number;
  readonly yError: number;
}

/**
 * Points, with their standard errors as bars.
 *
 * Points of which one or the other value is null or NaN, or can't stand on a logarithmic axis, are left out. Of very
 * many, one is drawn in each small square, so that those far from the rest stay.
 *
 * @throws BrinkError where a column isn't there, or holds no numbers; where `colorBy` mixes numbers and others.
 * @example
 * import { chart, points } from 'brink';
 *
 * const rows = [{ b: 4, rho: 0.1, error: 0.02 }, { b: 8, rho: 0.18, error: 0.03 }];
 * const spec = chart({
 *   description: 'ρ_b grows with the batch size.',
 *   x: { title: 'batch size b', log: 2 },
 *   y: { title: 'ρ_b' },
 *   layers: [points({ name: 'ρ_b', rows, x: 'b', y: 'rho', yError: 'error' })],
 * });
 * console.log('layer' in spec); // true
 */
export function points<R extends object>(options: Points<R>): Layer {
  requireLayer('points', options, ['name', 'rows', 'x', 'y', 'xError', 'yError', 'colorBy', 'color']);
  const { name, rows, colorBy, color } = options;
  const read = (what: 'x' | 'y' | 'xError' | 'yError') =>
    options[what] === undefined ? [] : readNumbers('points', rows, what, options[what]);
  const [x, y, xError, yError] = [read('x'), read('y'), read('xError'), read('yError')];
  const dots = x.map((value, k): Dot => ({ x: value, y: y[k]!, xError: xError[k] ?? 0, yError: yError[k] ?? 0 }));
  const reach = (of: readonly number[], errors: readonly number[]) => [
    ...of,
    ...errors.flatMap((error, k) => [of[k]! - error, of[k]! + error]),
  ];
  const colors = colorBy === undefined ? [] : readAll('points', rows, 'colorBy', colorBy);
  const shared = { xs: () => reach(x, xError), ys: () => reach(y, yError), room: 'around' as const };
  if (colors.some((value) => typeof value === 'number')) {
    const numbers = colors.map((value, k) => {
      if (typeof value === 'number' || value === null || value === undefined) return value ?? Number.NaN;
      throw new BrinkError(
        'points',
        `colorBy of row ${k} is ${shown(value)}, and a number elsewhere. Choose one kind.`,
      );
    });
    return { ...shared, entries: [], draw: (frame) => drawColored(name, dots, numbers, frame) };
  }
  if (colorBy === undefined) {
    return { ...shared, entries: [{ name, kind: 'points', color }], draw: (frame) => drawAlike(name, dots, frame) };
  }
  const groups = Map.groupBy(dots, (_, k) => `${name}: ${colors[k] ?? 'unknown'}`);
  return {
    ...shared,
    entries: [...groups.keys()].map((group): Entry => ({ name: group, kind: 'points' })),
    draw: (frame) => {
      const drawings = [...groups].map(([group, members]) => drawAlike(group, members, frame));
      return { marks: drawings.flatMap(({ marks }) => marks), notes: drawings.flatMap(({ notes }) => notes) };
    },
  };
}

function drawAlike(name: string, dots: readonly Dot[], frame: Frame): Drawing {
  const { color, shape } = frame.style(name);
  const { kept, notes } = chosen(name, dots, frame, MOST_DOTS);
  const places = kept.map(({ x, y }) => ({ x, y }));
  const mark: Mark =
    kept.length > MOST_SYMBOLS
      ? path(
          places.flatMap((place) => [place, null]),
          { color, width: 3 },
        )
      : {
          data: { values: places },
          mark: { type: 'point', clip: true, shape, size: SYMBOL_SIZE, filled: true, fill: color, opacity: 0.85 },
          encoding: { x: { field: 'x', type: 'quantitative' }, y: { field: 'y', type: 'quantitative' } },
        };
  return { marks: [...bars(kept, frame, color), mark], notes };
}

function drawColored(name: string, dots: readonly Dot[], colors: readonly number[], frame: Frame): Drawing {
  const { kept, notes } = chosen(
    name,
    dots.map((dot, k) => ({ ...dot, color: colors[k]! })),
    frame,
    MOST_COLORED,
  );
  const mark: Mark = {
    data: { values: kept.map(({ x, y, color }) => ({ x, y, color: Number.isFinite(color) ? color : null })) },
    mark: {
      type: 'point',
      clip: true,
      shape: CIRCLE,
      size: SYMBOL_SIZE,
      filled: true,
      strokeWidth: 0,
      opacity: 1,
    },
    encoding: {
      x: { field: 'x', type: 'quantitative' },
      y: { field: 'y', type: 'quantitative' },
      fill: {
        field: 'color',
        type: 'quantitative',
        title: name,
        scale: { scheme: 'viridis', reverse: true, zero: false, nice: false },
        legend: { orient: 'right' },
      },
    },
  };
  return { marks: [...bars(kept, frame, '#777777'), mark], notes };
}

/** Those that the axes can show, thinned out to what a picture can hold. */
function chosen<D extends Dot>(name: string, dots: readonly D[], { x, y }: Frame, most: number) {
  const notes = notShown(name, dots, { x, y });
  const there = dots.filter((dot) => x.shows(dot.x) && y.shows(dot.y));
  const { kept, side } = thinPoints(there, { x, y }, most);
  if (kept.length < there.length) {
    notes.push(
      `${name}: ${counted(kept.length)} of ${counted(there.length)} points are drawn, one in each square of ` +
        `${side} pixels.`,
    );
  }
  return { kept, notes };
}

/** The standard errors, as two paths. */
function bars(dots: readonly Dot[], { x, y }: Frame, color: string): Mark[] {
  const stroke = { color, width: 0.8, opacity: 0.6 };
  const end = (scale: Frame['x'], value: number) => (scale.shows(value) ? value : Math.min(...scale.domain));
  const level = dots.flatMap((dot) =>
    dot.xError > 0
      ? [{ x: end(x, dot.x - dot.xError), y: dot.y }, { x: end(x, dot.x + dot.xError), y: dot.y }, null]
      : [],
  );
  const upright = dots.flatMap((dot) =>
    dot.yError > 0
      ? [{ x: dot.x, y: end(y, dot.y - dot.yError) }, { x: dot.x, y: end(y, dot.y + dot.yError) }, null]
      : [],
  );
  return [level, upright].filter((ends) => ends.length > 0).map((ends) => path(ends, stroke));
}
