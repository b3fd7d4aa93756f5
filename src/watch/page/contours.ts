/** A piece of a contour line, in cells of the grid. */
export type Piece = readonly [x0: number, y0: number, x1: number, y1: number];

/**
 * The lines on which a grid of values has a level: in each square of four neighbours straight pieces between where its
 * sides cross it (marching squares). A saddle is cut by the mean of its corners; a square with a corner that is not
 * finite has none.
 *
 * @param valueAt By column and row, from 0.
 */
export function contour(
  columns: number,
  rows: number,
  valueAt: (x: number, y: number) => number,
  level: number,
): Piece[] {
  const pieces: Piece[] = [];
  for (let x = 0; x + 1 < columns; x++) {
    for (let y = 0; y + 1 < rows; y++) {
      // Around the square: each corner with the next is a side.
      const corners = [
        [x, y],
        [x + 1, y],
        [x + 1, y + 1],
        [x, y + 1],
      ] as const;
      const values = corners.map(([i, j]) => valueAt(i, j) - level);
      if (!values.every(Number.isFinite)) continue;
      const crossings: (readonly [number, number])[] = [];
      for (let k = 0; k < 4; k++) {
        const [a, b] = [values[k]!, values[(k + 1) % 4]!];
        if (a >= 0 === b >= 0) continue;
        const share = a / (a - b);
        const [[ax, ay], [bx, by]] = [corners[k]!, corners[(k + 1) % 4]!];
        crossings.push([ax + share * (bx - ax), ay + share * (by - ay)]);
      }
      const join = (i: number, j: number) => pieces.push([...crossings[i]!, ...crossings[j]!]);
      if (crossings.length === 2) join(0, 1);
      else if (crossings.length === 4) {
        const middle = values.reduce((sum, value) => sum + value, 0);
        // The corner at the beginning is joined with the middle, or cut off from it.
        if (middle >= 0 === values[0]! >= 0) {
          join(0, 1);
          join(2, 3);
        } else {
          join(3, 0);
          join(1, 2);
        }
      }
    }
  }
  return pieces;
}
