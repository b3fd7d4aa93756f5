import {
  add,
  type Code,
  constant,
  type FunctionCode,
  get,
  I32,
  increase,
  load,
  loadSplat,
  multiply,
  multiplyAdd,
  repeat,
  set,
  store,
  V128,
  zero,
} from './assembly.ts';

/** Entries of `a` that a product takes at a time, and vectors of four floats of `b`: eight sums stay in registers. */
export const ROWS = 4;
const VECTORS = 2;
/** Columns of a product, what `b` holds in a row. */
export const COLUMNS = 4 * VECTORS;

/** Rounded up to whole blocks of rows or columns of a product. */
export const wholeRows = (count: number): number => Math.ceil(count / ROWS) * ROWS;
export const wholeColumns = (count: number): number => Math.ceil(count / COLUMNS) * COLUMNS;

/**
 * sums[m][k] = Σ_i Σ_j a[m, i, j] · b[i, j][k] for m < 4 · blocks, k < 8: all that a convolution and its derivatives
 * are made of.
 *
 * Places and distances are in bytes: a[m, i, j] is at a + m · aRow + i · aOuter + j · aInner, b's rows follow each
 * other at the distance bRow, those of sums at sumsRow. The sum goes over i < outer and j < inner, in this order.
 */
export type Product = (
  a: number,
  aRow: number,
  aOuter: number,
  aInner: number,
  b: number,
  bRow: number,
  sums: number,
  sumsRow: number,
  blocks: number,
  outer: number,
  inner: number,
) => void;

export interface Products {
  /** Writes the sums. */
  readonly write: Product;
  /** Adds the sums to what is there. */
  readonly add: Product;
}

/** The products as WebAssembly. */
export const productFunctions = (): Record<keyof Products, FunctionCode> => ({
  write: product(false),
  add: product(true),
});

function product(adds: boolean): FunctionCode {
  let local = 0;
  const next = () => local++;
  const some = (count: number) => Array.from({ length: count }, next);
  const [a, aRow, aOuter, aInner, b, bRow, sums, sumsRow, blocks, outer, inner] = some(11) as [...Parameters<Product>];
  const [i, j, aStart, bAt] = some(4) as [number, number, number, number];
  const aAt = some(ROWS);
  const sum = aAt.map(() => some(VECTORS));
  const bVectors = some(VECTORS);
  const aVector = next();

  const eachSum = (use: (local: number, address: Code, offset: number) => Code): Code =>
    sum.flatMap((row, m) => row.flatMap((s, v) => use(s, add(get(sums), multiply(get(sumsRow), constant(m))), 16 * v)));
  const step: Code = [
    ...bVectors.flatMap((vector, v) => set(vector, load(get(bAt), 16 * v))),
    ...increase(bAt, get(bRow)),
    ...aAt.flatMap((at, m) => [
      ...set(aVector, loadSplat(get(at), 0)),
      ...increase(at, get(aInner)),
      ...sum[m]!.flatMap((s, v) => set(s, multiplyAdd(get(aVector), get(bVectors[v]!), get(s)))),
    ]),
  ];
  const body = repeat(blocks, [
    ...eachSum((s, address, offset) => set(s, adds ? load(address, offset) : zero)),
    ...set(aStart, get(a)),
    ...set(bAt, get(b)),
    ...set(i, get(outer)),
    ...repeat(i, [
      ...aAt.flatMap((at, m) => set(at, add(get(aStart), multiply(get(aRow), constant(m))))),
      ...set(j, get(inner)),
      ...repeat(j, step),
      ...increase(aStart, get(aOuter)),
    ]),
    ...eachSum((s, address, offset) => store(address, offset, get(s))),
    ...increase(a, multiply(get(aRow), constant(ROWS))),
    ...increase(sums, multiply(get(sumsRow), constant(ROWS))),
  ]);
  const integers = 4 + ROWS;
  const vectors = ROWS * VECTORS + VECTORS + 1;
  return {
    parameters: 11,
    locals: [...Array<number>(integers).fill(I32), ...Array<number>(vectors).fill(V128)],
    body,
  };
}
