import { LARGEST, type Scale } from './Scale.ts';

/** Pixels: a logarithm and back need not give the end of an axis to the last bit. */
const ROUNDING = 1e-6;

/** A count as it is written: 12,000. */
export const counted = (count: number): string => count.toLocaleString('en-US');

/** Sentences on the values of a name that the frame does not show: how many, and why. */
export function notShown(
  name: string,
  values: readonly { readonly x: number; readonly y: number }[],
  { x, y }: { readonly x: Scale; readonly y: Scale },
): string[] {
  const notes: string[] = [];
  const say = (count: number, what: string) => {
    if (count > 0) notes.push(`${name}: ${counted(count)} of ${counted(values.length)} values ${what}.`);
  };
  const those = (test: (value: { readonly x: number; readonly y: number }) => boolean) => values.filter(test).length;
  const isInfinite = (value: number) => Math.abs(value) > LARGEST;
  say(
    those((v) => isInfinite(v.x) || isInfinite(v.y)),
    'are infinite',
  );
  for (const [axis, scale] of [['x', x] as const, ['y', y] as const]) {
    if (!scale.axis.log) continue;
    say(
      those((v) => Number.isFinite(v[axis]) && v[axis] <= 0),
      'are ≤ 0 and have no place on the logarithmic axis',
    );
  }
  const isWithin = (scale: Scale, value: number) => {
    const place = scale.place(value);
    return place >= -ROUNDING && place <= scale.pixels + ROUNDING;
  };
  say(
    those((v) => x.shows(v.x) && y.shows(v.y) && !(isWithin(x, v.x) && isWithin(y, v.y))),
    'lie beyond the frame',
  );
  return notes;
}
