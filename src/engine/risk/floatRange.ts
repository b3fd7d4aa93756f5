import { norm } from '../../linalg/vector.ts';

/** Lengths whose products with a gradient, squared, are still far from float32's least and largest numbers. */
const COMFORTABLE = 2 ** 20;
/** The same of their squares, and by how much numbers are scaled where squares leave it. */
const COMFORTABLE_SQUARE = 2 ** 90;
const RESCALE = 2 ** 64;

/**
 * Replaces squares that leave float32's range before what is squared does.
 *
 * @param again Those at some places, computed from what is squared times `scale`.
 */
export async function computeAgain(
  squares: Float64Array,
  again: (places: readonly number[], scale: number) => Promise<ArrayLike<number> | undefined>,
): Promise<void> {
  const scales = Array.from(squares, (square) =>
    square < 1 / COMFORTABLE_SQUARE ? RESCALE : square < COMFORTABLE_SQUARE ? 1 : 1 / RESCALE,
  );
  for (const scale of [RESCALE, 1 / RESCALE]) {
    const places = scales.flatMap((own, place) => (own === scale ? [place] : []));
    if (places.length === 0) continue;
    const found = await again(places, scale);
    places.forEach((place, k) => {
      // Not a number: what cancelled to 0 leaves float32 only now.
      if (found && !Number.isNaN(found[k]!)) squares[place] = found[k]!;
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
