import type { Entry, Style } from './Layer.ts';

/** Safe for the colour-blind; neighbours differ in lightness by 20 of 100 and more. */
const COLORS = ['#1b4f9c', '#e4572e', '#117733', '#e69f00', '#7a3b8f', '#43a9d1', '#5c3a1e', '#d17ba8'];
const DASHES: readonly (readonly number[])[] = [[], [], [8, 2], [3, 1.5], [8, 2, 2, 2], [5, 2], [2, 2], [10, 3, 2, 3]];
/** Within a square from −1 to 1, so that one size of symbol gives short lines and small points. */
export const SHAPES = {
  line: 'M-1,0L1,0',
  circle: 'M-.3,0A.3,.3,0,1,1,.3,0A.3,.3,0,1,1,-.3,0Z',
  square: 'M-.27,-.27L.27,-.27L.27,.27L-.27,.27Z',
  triangle: 'M0,-.4L.37,.26L-.37,.26Z',
  diamond: 'M0,-.4L.32,0L0,.4L-.32,0Z',
  turned: 'M0,.4L.37,-.26L-.37,-.26Z',
  plus: 'M-.11,-.36L.11,-.36L.11,-.11L.36,-.11L.36,.11L.11,.11L.11,.36L-.11,.36L-.11,.11L-.36,.11L-.36,-.11L-.11,-.11Z',
  bar: 'M-.36,-.12L.36,-.12L.36,.12L-.36,.12Z',
  post: 'M-.12,-.36L.12,-.36L.12,.36L-.12,.36Z',
};
/** The area that such a symbol has, in pixels: lines of 20, points of 6. */
export const SYMBOL_SIZE = 400;
const { line: LINE, ...POINTS } = SHAPES;
const POINT_SHAPES = Object.values(POINTS);
const BLACK = '#111111';
const GREY = '#555555';

/** The style of each name, in the order in which they come. */
export function stylesOf(entries: readonly Entry[]): ReadonlyMap<string, Style> {
  const styles = new Map<string, Style>();
  let next = 0;
  for (const { name, kind, color, dashed } of entries) {
    if (styles.has(name)) continue;
    if (kind === 'edge' || (dashed && color === undefined)) {
      styles.set(name, { color: color ?? BLACK, dash: dashed === false ? [] : [6, 4], shape: LINE, width: 1.4 });
      continue;
    }
    if (kind === 'fit') {
      styles.set(name, { color: color ?? GREY, dash: dashed ? [6, 4] : [], shape: LINE, width: 1.4 });
      continue;
    }
    const k = color === undefined ? next++ % COLORS.length : styles.size % COLORS.length;
    // A colour of one's own says which is which, beside what is dashed.
    const dash = dashed ? [5, 3] : color === undefined ? DASHES[k]! : [];
    const shape = kind === 'points' ? POINT_SHAPES[k]! : LINE;
    styles.set(name, { color: color ?? COLORS[k]!, dash, shape, width: 1.5 });
  }
  return styles;
}

/** Dark to light, for names that have an order: batch sizes, learning rates. */
const RAMP = ['#2d1e5f', '#2f4b9a', '#2379a8', '#1b9e9a', '#4db36b', '#a2c13c', '#e2b33b'];

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
