import { COLUMNS, wholeColumns } from './products.ts';

/** Floats that a matrix takes in panels. */
export const panelsSize = (rows: number, columns: number): number => rows * wholeColumns(columns);

/**
 * Arranges a matrix for products: eight columns of it after another eight, row by row.
 *
 * @param blocks where blocks of rows start; their rows follow each other in this order.
 * @param rows how many a block has, and the distance between them.
 * @param columns how many there are, and the distance between them.
 */
export function toPanels(
  matrix: Float32Array,
  blocks: readonly number[],
  [rows, rowStep]: readonly [number, number],
  [columns, columnStep]: readonly [number, number],
  panels: Float32Array,
): void {
  let at = 0;
  for (let first = 0; first < columns; first += COLUMNS) {
    const count = Math.min(COLUMNS, columns - first);
    for (const block of blocks) {
      for (let row = 0; row < rows; row++, at += COLUMNS) {
        const start = block + row * rowStep + first * columnStep;
        for (let k = 0; k < count; k++) panels[at + k] = matrix[start + k * columnStep]!;
      }
    }
  }
}
