import type { Entry, Style } from './Layer.ts';

/** Safe for the colour-blind; neighbours differ in lightness by 20 of 100 and more. */
const COLORS = ['#1b4f9c', '#e4572e', '#0f5c2a', '#e69f00', '#7a3b8f', '#43a9d1', '#5c3a1e', '#d17ba8'];
const DASHES: readonly (readonly number[])[] = [[], [], [8, 2], [3, 1.5], [8, 2, 2, 2], [5, 2], [2, 2], [10, 3, 2, 3]];
/** Of edges and bounds, which are all black. */
export const REFERENCE_DASHES: readonly (readonly number[])[] = [
  [6, 4],
  [2, 2.5],
  [10, 3, 2, 3],
  [14, 4],
  [2, 5],
  [6, 3, 2, 3, 2, 3],
];
/**
 * Paths within a square from −1 to 1, the shapes of points small in it: one size gives short lines and small points.
 */
const SHAPES = [
  'M-.3,0A.3,.3,0,1,1,.3,0A.3,.3,0,1,1,-.3,0Z',
  'M-.27,-.27L.27,-.27L.27,.27L-.27,.27Z',
  'M0,-.4L.37,.26L-.37,.26Z',
  'M0,-.4L.32,0L0,.4L-.32,0Z',
  'M0,.4L.37,-.26L-.37,-.26Z',
  'M-.11,-.36L.11,-.36L.11,-.11L.36,-.11L.36,.11L.11,.11L.11,.36L-.11,.36L-.11,.11L-.36,.11L-.36,-.11L-.11,-.11Z',
  'M-.36,-.12L.36,-.12L.36,.12L-.36,.12Z',
  'M-.12,-.36L.12,-.36L.12,.36L-.12,.36Z',
];
export const CIRCLE = SHAPES[0]!;
const LINE = 'M-1,0L1,0';
/** The area of that square, in pixels: lines of 20, points of 6. */
export const SYMBOL_SIZE = 400;
const BLACK = '#111111';
const GREY = '#555555';

/** The style of each name, in the order in which they come. */
export function stylesOf(entries: readonly Entry[]): ReadonlyMap<string, Style> {
  const styles = new Map<string, Style>();
  let next = 0;
  let apart = 0;
  for (const [name, all] of Map.groupBy(entries, (entry) => entry.name)) {
    const { kind } = all[0]!;
    const color = all.find((entry) => entry.color !== undefined)?.color;
    const dashed = all.map((entry) => entry.dashed).find(Boolean);
    const isPoints = all.some((entry) => entry.kind === 'points');
    const isLine = all.some((entry) => entry.kind !== 'points');
    // What stands apart by itself takes no colour from the others.
    const isApart = color === undefined && (kind === 'edge' || (kind === 'line' && dashed !== undefined));
    const own = isApart ? BLACK : kind === 'fit' ? GREY : undefined;
    const isNext = color === undefined && own === undefined;
    const place = isNext ? next++ : styles.size;
    const k = place % COLORS.length;
    // From the ninth name on a colour comes again, with other dashes and another shape.
    const other = (k + 2 * Math.floor(place / COLORS.length)) % COLORS.length;
    styles.set(name, {
      color: color ?? own ?? COLORS[k]!,
      dash: isNext
        ? DASHES[other]!
        : dashed === true
          ? REFERENCE_DASHES[isApart ? apart++ % REFERENCE_DASHES.length : 0]!
          : dashed || [],
      shape: SHAPES[other]!,
      width: own === undefined ? 1.5 : 1.4,
      isLine,
      isPoints,
      isListed: all.some((entry) => entry.isListed !== false),
    });
  }
  return styles;
}

/** The path that the legend shows. */
export const symbolOf = ({ isLine, isPoints, shape }: Style): string => (isLine ? LINE : '') + (isPoints ? shape : '');

/** Dark to light, for names that have an order: batch sizes, learning rates. */
const RAMP = ['#2d1e5f', '#2f4b9a', '#2379a8', '#1b9994', '#4db36b', '#a2c13c', '#e9c44a'];

/**
 * Colours for names that have an order, from dark to light, so that the order stays in grey.
 *
 * @param count How many, of at least 1.
 * @example
 * import { line, shades } from 'brink';
 *
 * const colors = shades(3);
 * const layers = [4, 32, 256].map((b, k) => line({ name: `b = ${b}`, rows: [], x: 'step', y: 'ias', color: colors[k]! }));
 * console.log(layers.length, colors[0]); // 3 #2d1e5f
 */
export function shades(count: number): string[] {
  return Array.from({ length: count }, (_, k) => {
    const at = count === 1 ? 0 : (k / (count - 1)) * (RAMP.length - 1);
    const [low, high] = [Math.floor(at), Math.ceil(at)];
    return `#${[1, 3, 5]
      .map((from) => {
        const [a, b] = [low, high].map((i) => Number.parseInt(RAMP[i]!.slice(from, from + 2), 16)) as [number, number];
        return Math.round(a + (b - a) * (at - low))
          .toString(16)
          .padStart(2, '0');
      })
      .join('')}`;
  });
}
