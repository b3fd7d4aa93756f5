import type { Passes } from './passes.ts';

/** Rows that are summed in one go over all columns, so that they are read from memory once. */
const ROWS_AT_ONCE = 64;

/** Sums over the rows of a matrix in float64, in parts of its rows; places in floats, columns a multiple of 4. */
export interface ColumnSums {
  readonly matrix: number;
  readonly rows: number;
  readonly columns: number;
  /** A part's doubles after another's, zeros to begin with. */
  readonly sums: number;
  readonly parts: number;
}

/** Sums the parts from `from` up to `to`. */
export function sumColumns(
  passes: Passes,
  { matrix, rows, columns, sums, parts }: ColumnSums,
  from: number,
  to: number,
): void {
  const start = (part: number) => Math.floor((part * rows) / parts);
  for (let part = from; part < to; part++) {
    for (let row = start(part); row < start(part + 1); row += ROWS_AT_ONCE) {
      const count = Math.min(ROWS_AT_ONCE, start(part + 1) - row);
      for (let k = 0; k < columns; k += 4) {
        passes.addColumns(4 * (matrix + row * columns + k), 4 * columns, count, 4 * sums + 8 * (part * columns + k));
      }
    }
  }
}
