import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { addScaled, dot, norm, rescale, type Vector } from './vector.ts';

/** What is remembered of a symmetric H: H ≈ U diag(τ) Uᵀ with orthonormal U [m × p]. It steers a search and decides nothing. */
export interface SpectralModel {
  /** τ. */
  readonly values: readonly number[];
  /** The columns of U. */
  readonly vectors: readonly Float32Array[];
  /** How many searches ago most of each vector was looked at: 0 in the last one. */
  readonly ages: readonly number[];
  /** By how much the eigenvalues wanted change from one search to the next. */
  readonly drift: number;
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
 * Davidson's correction (λI − U diag(τ) Uᵀ)⁻¹ r: what an approximate eigenvector with value λ and residual r lacks, to first
 * order in how far H is from the model.
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

/**
 * The model of a new H from a basis V with its exact products HV, and, outside it, what the old model says.
 *
 * @param ritzMatrix VᵀHV.
 * @param keep p, and how many of the p are to be the first in the order given by `before`; the others are those of largest
 *   magnitude. `drift` of the new model.
 */
export function renewModel(
  basis: readonly Basis[],
  ritzMatrix: readonly (readonly number[])[],
  old: Pick<SpectralModel, 'values' | 'vectors' | 'ages'>,
  keep: {
    readonly drift: number;
    readonly size: number;
    readonly first: number;
    readonly before: (a: number, b: number) => number;
  },
): SpectralModel {
  const vectors = basis.map(({ vector }) => vector);
  const ages = basis.map(() => 0);
  const matrix = ritzMatrix.map((row) => [...row]);
  const coordinates = (v: Vector) => old.vectors.map((u) => dot(u, v));
  const seen = vectors.map(coordinates);
  /** aᵀ(old model)b, from the coordinates of a and b. */
  const said = (a: readonly number[], b: readonly number[]) =>
    old.values.reduce((sum, value, k) => sum + value * a[k]! * b[k]!, 0);
  for (const [k, direction] of old.vectors.entries()) {
    const u = Float64Array.from(direction);
    for (let pass = 0; pass < 2; pass++) for (const v of vectors) addScaled(u, v, -dot(v, u));
    const part = norm(u);
    if (part < NEW_PART) continue;
    rescale(u, 1 / part);
    const added = Float32Array.from(u);
    const own = coordinates(added);
    const column = seen.map((other, i) => (i < basis.length ? dot(basis[i]!.product, added) : said(other, own)));
    column.push(said(own, own));
    seen.push(own);
    matrix.forEach((row, i) => {
      row.push(column[i]!);
    });
    matrix.push(column);
    vectors.push(added);
    ages.push(old.ages[k]! + 1);
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
  /** The age of the direction that has most of a vector. */
  const ageOf = (y: readonly number[]) => {
    const exact = y.slice(0, basis.length).reduce((sum, c) => sum + c * c, 0);
    const unseen = y.map((c, j) => (j < basis.length ? 0 : c * c));
    return exact > 0.5 ? 0 : ages[unseen.indexOf(Math.max(...unseen))]!;
  };
  return {
    drift: keep.drift,
    ages: kept.map((i) => ageOf(columns[i]!)),
    values: kept.map((i) => eigenvalues[i]!),
    vectors: kept.map((i) => {
      const sum = new Float64Array(vectors[0]!.length);
      vectors.forEach((v, j) => {
        addScaled(sum, v, columns[i]![j]!);
      });
      return Float32Array.from(sum);
    }),
  };
}
