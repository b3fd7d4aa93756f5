/** The longest axis that has ticks at 1, 2 and 5 of each power of ten, in powers of ten. */
const SHORT = 2.5;

/** The span of positive values from which an axis is logarithmic by itself. */
export const DECADES = 1000;

/** Beyond this, sums and differences of values may be infinite. */
export const LARGEST = 1e300;

/** An axis as a chart asks for it. */
export interface Axis {
  /** What it shows, in words and symbols, with its unit: `step t`. */
  readonly title: string;
  /** Logarithmic; 2 puts the ticks at powers of two, as for batch sizes. Values ≤ 0 are left out, and counted. */
  readonly log?: boolean | 2;
  /** Its ends. Default: those of the data, with a margin above and below. */
  readonly domain?: readonly [number, number];
}

/** From values to pixels along one axis. */
export interface Scale {
  readonly axis: Axis;
  readonly domain: readonly [number, number];
  readonly pixels: number;
  /** Whether the axis can show a value at all. */
  shows(value: number): boolean;
  /** Where a value that the axis can show lies, in pixels from the beginning of the domain. */
  place(value: number): number;
}

/**
 * The scale of an axis.
 *
 * @param values What it must reach; those that it can't show are passed over.
 * @param margin Space at both ends, as a share of the length.
 */
export function scaleOf(axis: Axis, values: Iterable<number>, pixels: number, margin: number): Scale {
  const { log = false } = axis;
  const shows = (value: number) => Math.abs(value) <= LARGEST && (!log || value > 0);
  const forth = log ? Math.log : (value: number) => value;
  const back = log ? Math.exp : (value: number) => value;
  const domain = axis.domain ?? around(values, shows, forth, back, margin);
  const [from, to] = domain.map(forth) as [number, number];
  return { axis, domain, pixels, shows, place: (value) => (pixels * (forth(value) - from)) / (to - from) };
}

function around(
  values: Iterable<number>,
  shows: (value: number) => boolean,
  forth: (value: number) => number,
  back: (value: number) => number,
  margin: number,
): readonly [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (!shows(value)) continue;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  if (least > most) return [back(0), back(1)];
  // Divided first, so that the length stays finite.
  const [from, to] = [forth(least), forth(most)];
  const space = to > from ? margin * to - margin * from : Math.max(Math.abs(from) / 10, forth === Math.log ? 1 : 1e-12);
  const [low, high] = [back(from - space), back(to + space)];
  return [shows(low) ? low : least, shows(high) ? high : most];
}

/**
 * Where a logarithmic axis has its ticks: at powers of its base, on a short one at 1, 2 and 5 of each power of ten, and
 * where these leave fewer than two, in equal steps.
 */
export function logTicks({ axis, domain }: Scale): number[] {
  const [from, to] = domain.toSorted((a, b) => a - b) as [number, number];
  const base = axis.log === 2 ? 2 : 10;
  const within = (ticks: readonly number[]) =>
    ticks
      .map((tick) => Number(tick.toPrecision(12)))
      .filter(Number.isFinite)
      .filter((tick) => tick >= from * (1 - 1e-9) && tick <= to * (1 + 1e-9));
  const powers = (mantissas: readonly number[]) => {
    const first = Math.floor(Math.log(from) / Math.log(base));
    const last = Math.ceil(Math.log(to) / Math.log(base));
    return within(
      Array.from({ length: last - first + 1 }, (_, k) => first + k).flatMap((power) =>
        mantissas.map((mantissa) => mantissa * base ** power),
      ),
    );
  };
  const equal = (step: number) => {
    const first = Math.ceil(from / step - 1e-9);
    return within(Array.from({ length: Math.floor(to / step + 1e-9) - first + 1 }, (_, k) => (first + k) * step));
  };
  const decades = Math.log(to / from) / Math.log(base);
  const own = powers(base === 10 && decades < SHORT ? [1, 2, 5] : [1]);
  const unit = 10 ** Math.floor(Math.log10(to - from));
  const finer = [1, 0.5, 0.2].map((share) => equal(share * unit)).find((all) => all.length > 1);
  const ticks = own.length > 1 ? own : (finer ?? own);
  // Every second, third … where they would stand too close.
  const every = Math.ceil(ticks.length / 8);
  return ticks.filter((_, k) => k % every === 0);
}
