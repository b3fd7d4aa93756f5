import type { Scale } from './Scale.ts';

/**
 * At most `most` of the points within and around the frame: the first in each square of pixels, whose sides grow until
 * few enough are left.
 */
export function thinPoints<P extends { readonly x: number; readonly y: number }>(
  points: readonly P[],
  { x, y }: { readonly x: Scale; readonly y: Scale },
  most: number,
): { readonly kept: readonly P[]; readonly side: number } {
  let kept = points;
  let side = 0;
  while (kept.length > most) {
    side++;
    const taken = new Map<string, P>();
    for (const point of points) {
      const square = `${Math.floor(x.place(point.x) / side)} ${Math.floor(y.place(point.y) / side)}`;
      if (!taken.has(square)) taken.set(square, point);
    }
    kept = [...taken.values()];
  }
  return { kept, side };
}
