import { COLUMNS, type Products, ROWS, wholeColumns, wholeRows } from './products.ts';

/** Rows of the product that make one piece of work. */
const PIECE = 32;

/** Products of two batches of matrices; places and distances in the heap in floats. */
export interface MatrixProduct {
  readonly batches: number;
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly a: number;
  readonly aBatch: number;
  readonly aRow: number;
  readonly aInner: number;
  /** The right factors in panels. */
  readonly b: number;
  readonly bBatch: number;
  readonly product: number;
}

const piecesOfOne = ({ rows }: MatrixProduct): number => Math.ceil(rows / PIECE);
export const matrixPieces = (m: MatrixProduct): number => m.batches * piecesOfOne(m);

/** Floats of scratch that one thread needs. */
export const matrixScratch = (m: MatrixProduct): number => PIECE * (m.inner + wholeColumns(m.columns));

/** Makes the pieces from `from` up to `to`. */
export function multiplyMatrices(
  heap: Float32Array,
  products: Products,
  m: MatrixProduct,
  scratch: number,
  from: number,
  to: number,
): void {
  for (let piece = from; piece < to; piece++) {
    const batch = Math.floor(piece / piecesOfOne(m));
    const first = (piece % piecesOfOne(m)) * PIECE;
    const count = Math.min(PIECE, m.rows - first);
    const whole = wholeRows(count) === count;
    const left = { at: m.a + batch * m.aBatch + first * m.aRow, row: m.aRow, inner: m.aInner };
    // Read transposed, each step from row to row would miss every cache; and reading must end with the matrix.
    const copied = { at: scratch, row: 1, inner: PIECE };
    const a = m.aInner === 1 && whole ? left : copied;
    if (a === copied) {
      for (let i = 0; i < m.inner; i++) {
        for (let r = 0; r < count; r++)
          heap[copied.at + i * PIECE + r] = heap[left.at + r * left.row + i * left.inner]!;
      }
    }
    const product = m.product + (batch * m.rows + first) * m.columns;
    const written = { at: scratch + PIECE * m.inner, row: wholeColumns(m.columns) };
    const out = whole && written.row === m.columns ? { at: product, row: m.columns } : written;
    const panel = m.inner * COLUMNS;
    for (let k = 0, b = m.b + batch * m.bBatch; k < m.columns; k += COLUMNS, b += panel) {
      products.write(
        4 * a.at,
        4 * a.row,
        0,
        4 * a.inner,
        4 * b,
        4 * COLUMNS,
        4 * (out.at + k),
        4 * out.row,
        wholeRows(count) / ROWS,
        1,
        m.inner,
      );
    }
    if (out !== written) continue;
    for (let r = 0; r < count; r++) {
      const start = written.at + r * written.row;
      heap.copyWithin(product + r * m.columns, start, start + m.columns);
    }
  }
}
