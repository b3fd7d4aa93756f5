import { studentQuantile } from '../../statistics/studentQuantile.ts';
import type { Points } from './Points.ts';

/** Half of a 95 % interval in standard errors, where nothing says how many draws it rests on. */
const NORMAL = 1.96;

/** Half of the 95 % interval around a point; NaN where it has no error. */
export function halfWidth({ error, draws }: Points, place: number): number {
  if (place >= error.length) return Number.NaN;
  const count = place < draws.length ? draws.values[place]! : 0;
  return error.values[place]! * (count > 1 ? quantileOf(count - 1) : NORMAL);
}

const quantiles = new Map<number, number>();
function quantileOf(freedom: number): number {
  let found = quantiles.get(freedom);
  if (found === undefined) {
    found = studentQuantile(0.95, freedom);
    quantiles.set(freedom, found);
  }
  return found;
}
