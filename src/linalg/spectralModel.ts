import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { addScaled, addSingles, dot, norm, rescale } from './vector.ts';

/**
 * What is remembered of a symmetric H: H ≈ U diag(τ) Uᵀ with orthonormal U [m × p]. It steers a search and decides
 * nothing.
 */
export interface SpectralModel {
  /** τ. */
  readonly values: readonly number[];
  /** The columns of U. */
  readonly vectors: readonly Float32Array[];
  /** How many searches have gone into it. */
  readonly searches: number;
  /**
   * A unit vector outside U that turns towards H's eigenvector of largest magnitude there, by one step of power
   * iteration a search; null where none has begun.
   */
  readonly scout: Float32Array | null;
}

/** A vector of a basis with its product. */
interface Basis {
  readonly vector: Float32Array;
  readonly product: Float32Array;
}

/** Differences of eigenvalues below this share of the largest magnitude are not told apart by a model. */
const APART = 0.05;
/** A remembered direction with less than this outside the basis is in it already. */
const NEW_PART = 0.1;

/**
 * Davidson's correction (λI − U diag(τ) Uᵀ)⁻¹ r: what an approximate eigenvector with value λ and residual r lacks,
 * to first order in how far H is from the model.
 */
export function correction({ values, vectors }: SpectralModel, r: Float64Array, lambda: number): Float64Array {
  const least = APART * Math.max(Math.abs(lambda), ...values.map(Math.abs));
  const inverse = (d: number) => (Math.abs(d) < least ? Math.sign(d || 1) / least : 1 / d);
  const outside = inverse(lambda);
  const t = r.map((x) => x * outside);
  vectors.forEach((u, k) => {
    addScaled(t, u, dot(u, r) * (inverse(lambda - values[k]!) - outside));
  });
  return t;
}

/** x and y of a vector V x + U y. */
interface Combination {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/**
 * The model of a new H from a basis V with its exact products HV, and, outside it, what the old model says.
 *
 * All but the last line is arithmetic with coefficients: vectors are V x + U y, whose inner products follow from C =
 * VᵀU [d × p], and HV from VᵀHV and (HV)ᵀU.
 *
 * Cost: 2 d p inner products, and p (d + p) additions, of vectors.
 *
 * @param ritzMatrix VᵀHV.
 * @param keep p, and how many of the p are to be the first in the order given by `before`; the others are those of
 *   largest magnitude. `scouted` is the product whose part outside is to be its `scout`.
 */
export function renewModel(
  basis: readonly Basis[],
  ritzMatrix: readonly (readonly number[])[],
  old: Pick<SpectralModel, 'values' | 'vectors' | 'searches'>,
  keep: {
    readonly scouted: Float32Array | null;
    readonly size: number;
    readonly first: number;
    readonly before: (a: number, b: number) => number;
  },
): SpectralModel {
  const C = basis.map(({ vector }) => old.vectors.map((u) => dot(vector, u)));
  const HVU = basis.map(({ product }) => old.vectors.map((u) => dot(product, u)));
  const cross = (a: Combination, b: Combination) => C.reduce((sum, row, i) => sum + a.x[i]! * inner(row, b.y), 0);
  const product = (a: Combination, b: Combination) => inner(a.x, b.x) + inner(a.y, b.y) + cross(a, b) + cross(b, a);
  /** Uᵀa, from which the old model computes. */
  const within = ({ x, y }: Combination) =>
    y.map((own, k) => own + C.reduce((sum, row, i) => sum + row[k]! * x[i]!, 0));
  const said = (a: readonly number[], b: readonly number[]) =>
    old.values.reduce((sum, value, k) => sum + value * a[k]! * b[k]!, 0);

  const vectors: Combination[] = basis.map((_, i) => unit(basis.length, i, old.vectors.length));
  const matrix = ritzMatrix.map((row) => [...row]);
  for (const k of old.vectors.keys()) {
    let u: Combination = { x: basis.map(() => 0), y: old.vectors.map((_, j) => (j === k ? 1 : 0)) };
    for (let pass = 0; pass < 2; pass++) for (const v of vectors) u = plus(u, v, -product(v, u));
    const part = Math.sqrt(Math.max(0, product(u, u)));
    if (part < NEW_PART) continue;
    u = { x: u.x.map((c) => c / part), y: u.y.map((c) => c / part) };
    const column = vectors.map((v, i) =>
      i < basis.length ? inner(ritzMatrix[i]!, u.x) + inner(HVU[i]!, u.y) : said(within(v), within(u)),
    );
    column.push(said(within(u), within(u)));
    matrix.forEach((row, i) => {
      row.push(column[i]!);
    });
    matrix.push(column);
    vectors.push(u);
  }

  const decomposition = new EigenvalueDecomposition(new Matrix(matrix), { assumeSymmetric: true });
  const eigenvalues = decomposition.realEigenvalues;
  const columns = decomposition.eigenvectorMatrix.transpose().to2DArray();
  const places = eigenvalues.map((_, i) => i);
  const first = places.toSorted((i, j) => keep.before(eigenvalues[i]!, eigenvalues[j]!)).slice(0, keep.first);
  const others = places
    .filter((i) => !first.includes(i))
    .sort((i, j) => Math.abs(eigenvalues[j]!) - Math.abs(eigenvalues[i]!));
  const kept = [...first, ...others].slice(0, keep.size);
  const renewed = kept.map((i) => {
    const { x, y } = vectors.reduce(
      (sum, v, j) => plus(sum, v, columns[i]![j]!),
      unit(basis.length, -1, old.vectors.length),
    );
    const sum = new Float64Array(basis[0]!.vector.length);
    addSingles(sum, [...basis.map(({ vector }) => vector), ...old.vectors], [...x, ...y]);
    return Float32Array.from(sum);
  });
  return {
    searches: old.searches + 1,
    values: kept.map((i) => eigenvalues[i]!),
    vectors: renewed,
    scout: keep.scouted && outside(keep.scouted, renewed),
  };
}

/** The unit vector of a vector's part outside some orthonormal ones; null where it has none. */
function outside(vector: Float32Array, span: readonly Float32Array[]): Float32Array | null {
  const part = Float64Array.from(vector);
  for (const u of span) addScaled(part, u, -dot(u, part));
  const length = norm(part);
  if (length === 0) return null;
  rescale(part, 1 / length);
  return Float32Array.from(part);
}

const inner = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, k) => sum + value * b[k]!, 0);

const plus = (a: Combination, b: Combination, scale: number): Combination => ({
  x: a.x.map((value, i) => value + scale * b.x[i]!),
  y: a.y.map((value, i) => value + scale * b.y[i]!),
});

/** The i-th vector of the basis; 0 where there is none. */
const unit = (d: number, i: number, p: number): Combination => ({
  x: Array.from({ length: d }, (_, j) => (j === i ? 1 : 0)),
  y: new Array(p).fill(0),
});
