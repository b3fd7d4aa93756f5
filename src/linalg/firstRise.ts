/** Where to look for the first rise, and how exactly. */
export interface RiseSearch {
  /** α at which to begin: near the answer, where something is known of it. */
  readonly start: number;
  /** How far to look. */
  readonly limit: number;
  /** Width of the interval that is left, as a share of α. */
  readonly tolerance: number;
}

/** What was found. */
export interface Rise {
  /** Null where none was found. */
  readonly alpha: number | null;
  /** How often the function was asked. */
  readonly evaluations: number;
}

/** More are never needed to narrow, unless the function is all rounding, or float64 tells no less apart. */
const MOST = 64;

/**
 * The smallest α > 0 from which on a function with f(0) = 0 and a slope below 0 there is above 0, as far as doubling
 * sees it: doubled from `start` until f(α) > 0, and then narrowed.
 *
 * What is narrowed is f(α)/α, which is a straight line where f is quadratic, and known at 0: each next α is where the
 * line between the ends of the interval is 0, every third the middle, and none closer to an end than half of the
 * tolerance, so that the interval closes from both sides. On a quadratic that takes two after the doubling.
 *
 * A rise and fall between two doublings, or before `start`, is not seen. A value that is not a number counts as a rise.
 *
 * @param change f(α).
 * @param slope f′(0).
 */
export async function firstRise(
  change: (alpha: number) => Promise<number>,
  slope: number,
  { start, limit, tolerance }: RiseSearch,
): Promise<Rise> {
  if (!(slope < 0 && start > 0)) return { alpha: null, evaluations: 0 };
  let evaluations = 0;
  const quotient = async (alpha: number) => {
    evaluations++;
    return (await change(alpha)) / alpha;
  };
  let [low, atLow] = [0, slope];
  let high = Math.min(start, limit);
  let atHigh = await quotient(high);
  while (atHigh <= 0) {
    if (high >= limit) return { alpha: null, evaluations };
    [low, atLow] = [high, atHigh];
    high = Math.min(2 * high, limit);
    atHigh = await quotient(high);
  }
  const middle = () => (low + high) / 2;
  const straight = () => (Number.isFinite(atHigh) ? low + ((high - low) * atLow) / (atLow - atHigh) : middle());
  const isWide = () => high - low > tolerance * high;
  for (let k = 1; isWide() && k < MOST; k++) {
    const margin = (tolerance * high) / 2;
    const alpha = Math.min(Math.max(k % 3 === 0 ? middle() : straight(), low + margin), high - margin);
    const at = await quotient(alpha);
    if (at <= 0) [low, atLow] = [alpha, at];
    else [high, atHigh] = [alpha, at];
  }
  // Above everywhere, though its slope says otherwise.
  if (low === 0 && isWide()) return { alpha: null, evaluations };
  return { alpha: straight(), evaluations };
}
