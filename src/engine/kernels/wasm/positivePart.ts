import type { Passes } from './passes.ts';

const PIECE = 2 ** 16;

/** values where mask > 0, else 0; places in the heap in floats. */
export interface PositivePart {
  readonly mask: number;
  readonly values: number;
  readonly output: number;
  /** A multiple of 4. */
  readonly size: number;
}

export const positivePieces = ({ size }: PositivePart): number => Math.ceil(size / PIECE);

/** Makes the pieces from `from` up to `to`. */
export function keepPositivePart(
  passes: Passes,
  { mask, values, output, size }: PositivePart,
  from: number,
  to: number,
): void {
  const start = from * PIECE;
  const count = Math.min(to * PIECE, size) - start;
  if (count > 0) passes.keepPositive(4 * (mask + start), 4 * (values + start), 4 * (output + start), count / 4);
}
