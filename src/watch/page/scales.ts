/** How an axis runs: its order is that of the numbers. */
export type ScaleKind = 'linear' | 'log' | 'asinh';
export const SCALES: readonly ScaleKind[] = ['linear', 'log', 'asinh'];

/** From numbers to places along an axis, and back. */
export interface Scale {
  readonly kind: ScaleKind;
  to(value: number): number;
  from(place: number): number;
}

/** @param unit Of asinh: below it the axis is nearly linear. */
export function scaleOf(kind: ScaleKind, unit = 1): Scale {
  if (kind === 'log') return { kind, to: Math.log10, from: (place) => 10 ** place };
  if (kind === 'asinh') {
    // Far from 0 by logarithms: a quotient or a sinh would leave the numbers before value and place do.
    const least = Math.log(unit / 2);
    return {
      kind,
      to: (value) =>
        Math.abs(value) < 1e9 * unit
          ? Math.asinh(value / unit)
          : Math.sign(value) * (Math.log(Math.abs(value)) - least),
      from: (place) =>
        Math.abs(place) < 20 ? unit * Math.sinh(place) : Math.sign(place) * Math.exp(Math.abs(place) + least),
    };
  }
  return { kind, to: (value) => value, from: (place) => place };
}

/** A linear axis for values up to the ends of all numbers: by tenths, as their distance has to be a number too. */
export const linearOver = (least: number, most: number): Scale =>
  Math.max(-least, most) < Number.MAX_VALUE / 10
    ? scaleOf('linear')
    : { kind: 'linear', to: (value) => value / 10, from: (place) => place * 10 };

/** The nearest number that is finite. */
const finite = (x: number) => Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, x));

/** The range of an axis around values, in places along it: a little more, and never of no length. */
export function rangeOf(least: number, most: number, scale: Scale): readonly [number, number] {
  if (!(least <= most)) return scale.kind === 'log' ? [-1, 1] : [0, 1];
  const [low, high] = [scale.to(least), scale.to(most)];
  const length = high - low;
  if (length === 0) {
    const half = scale.kind === 'log' ? 0.5 : Math.abs(low) / 10 || 1;
    return [finite(low - half), finite(high + half)];
  }
  return [finite(low - 0.05 * length), finite(high + 0.05 * length)];
}

/** Round numbers within a range of places, about so many. */
export function ticksOf(low: number, high: number, scale: Scale, count: number): number[] {
  if (scale.kind === 'linear') return roundNumbers(low, high, count).map(scale.from).filter(Number.isFinite);
  // A range reaches a little beyond its values, and so perhaps beyond all numbers.
  const [least, most] = [low, high].map((place) => finite(scale.from(place))) as [number, number];
  if (scale.kind === 'log') {
    const decades = high - low;
    if (decades < 1) return roundNumbers(least, most, count).filter((value) => value > 0);
    const factors = decades < 2.5 ? [1, 2, 5] : [1];
    const every = Math.max(1, Math.ceil(decades / count));
    return powersOfTen(Math.floor(low), Math.ceil(high))
      .filter((exponent) => exponent % every === 0)
      .flatMap((exponent) => factors.map((factor) => factor * 10 ** exponent))
      .filter((value) => value >= least && value <= most);
  }
  const exponents = powersOfTen(Math.floor(Math.log10(scale.from(0.5))), Math.ceil(Math.log10(Math.max(-least, most))));
  const every = Math.max(1, Math.ceil((2 * exponents.length) / count));
  const sizes = exponents.filter((_, k) => (exponents.length - 1 - k) % every === 0).map((exponent) => 10 ** exponent);
  return [...sizes.map((size) => -size), 0, ...sizes]
    .filter((value) => value >= least && value <= most)
    .sort((a, b) => a - b);
}

/** As `ticksOf`, along steps: between two of them there is none. */
export const stepTicksOf = (low: number, high: number, scale: Scale, count: number): number[] =>
  ticksOf(low, high, scale, count).filter(Number.isInteger);

const powersOfTen = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, k) => from + k);

function roundNumbers(low: number, high: number, count: number): number[] {
  const rough = (high - low) / Math.max(1, count);
  if (!(rough > 0) || !Number.isFinite(rough)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  // Among the very least numbers there are no round ones.
  if (power < 1e-300) return [low];
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? 10 * power;
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.min(200, last - first + 1) }, (_, k) => (first + k) * step);
}

const RAISED: Readonly<Record<string, string>> = {
  '-': '⁻',
  ...Object.fromEntries([...'⁰¹²³⁴⁵⁶⁷⁸⁹'].map((c, k) => [`${k}`, c])),
};

/** A number in few signs: 0.02, 12 300, 1.2·10⁻⁷. */
export function shortNumber(value: number, digits = 4): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  if (value === 0) return '0';
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  if (exponent >= -4 && exponent < 6) return `${Number(value.toPrecision(digits))}`.replace('-', '−');
  const [head, tail] = value.toExponential(digits - 1).split('e') as [string, string];
  const raised = [...`${Number(tail)}`].map((sign) => RAISED[sign]).join('');
  const factor = `${Number(head)}`.replace('-', '−');
  return factor === '1' || factor === '−1' ? `${factor.replace('1', '')}10${raised}` : `${factor}·10${raised}`;
}
