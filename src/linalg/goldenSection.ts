/** A minimum, and what was asked for it. */
export interface Minimum {
  /** Where it is, to half of the interval that is left. */
  readonly at: number;
  /** The least value that was seen. */
  readonly value: number;
  readonly evaluations: number;
}

const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * The minimum of a function between two numbers by golden section: each evaluation leaves .618 of the interval.
 *
 * It is the minimum only where the function falls up to one point and rises from there; else one of several, or an end.
 *
 * Source: Kiefer (1953).
 *
 * @param tolerance Width of the interval that is left, as a share of the one given; no less than float64 tells apart.
 */
export async function goldenSection(
  f: (x: number) => Promise<number>,
  from: number,
  to: number,
  tolerance: number,
): Promise<Minimum> {
  let [low, high] = [from, to];
  const inner = (share: number) => low + share * (high - low);
  let [left, right] = [inner(1 - GOLDEN), inner(GOLDEN)];
  let [atLeft, atRight] = [await f(left), await f(right)];
  let evaluations = 2;
  // Until neighbours in float64 are left, whatever is asked for.
  while (high - low > tolerance * (to - from) && low < left && left < right && right < high) {
    if (atLeft < atRight) {
      [high, right, atRight] = [right, left, atLeft];
      left = inner(1 - GOLDEN);
      atLeft = await f(left);
    } else {
      [low, left, atLeft] = [left, right, atRight];
      right = inner(GOLDEN);
      atRight = await f(right);
    }
    evaluations++;
  }
  return { at: (low + high) / 2, value: Math.min(atLeft, atRight), evaluations };
}
