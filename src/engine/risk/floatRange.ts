import { norm } from '../../linalg/vector.ts';

/** Lengths whose products with a gradient, squared, are still far from float32's least and largest numbers. */
const COMFORTABLE = 2 ** 20;
/** The same of powers. Where these leave it they are scaled by 2^RESCALED, their base by 2^64 at most. */
const COMFORTABLE_POWER = 2 ** 90;
const RESCALED = 128;
const MOST_OF_BASE = 64;

/**
 * Replaces powers, such as squares, that leave float32's range before their base does.
 *
 * @param degree The exponent.
 * @param again Those at some places, computed from their base times `scale`.
 */
export async function computeAgain(
  powers: Float64Array,
  degree: number,
  again: (places: readonly number[], scale: number) => Promise<ArrayLike<number> | undefined>,
): Promise<void> {
  // No base makes them larger or smaller.
  if (degree === 0) return;
  const larger = 2 ** Math.max(-MOST_OF_BASE, Math.min(MOST_OF_BASE, Math.round(RESCALED / degree)));
  const scales = Array.from(powers, (power) =>
    power < 1 / COMFORTABLE_POWER ? larger : power < COMFORTABLE_POWER ? 1 : 1 / larger,
  );
  for (const scale of [larger, 1 / larger]) {
    const places = scales.flatMap((own, place) => (own === scale ? [place] : []));
    if (places.length === 0) continue;
    const found = await again(places, scale);
    places.forEach((place, k) => {
      // Not a number: what cancelled to 0 leaves float32 only now.
      if (found && !Number.isNaN(found[k]!)) powers[place] = found[k]!;
    });
  }
}

/** v = length · unit: where float32 products with v would underflow or overflow length is a power of two, else 1. */
export function powerOfTwo<V extends Float32Array | Float64Array>(v: V): { unit: V; length: number } {
  const size = norm(v);
  if (!(size > 0 && size < Number.POSITIVE_INFINITY) || (size > 1 / COMFORTABLE && size < COMFORTABLE)) {
    return { unit: v, length: 1 };
  }
  const length = 2 ** Math.floor(Math.log2(size));
  return { unit: v.map((x) => x / length) as V, length };
}
