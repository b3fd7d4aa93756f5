import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import type { HessianProduct } from '../core/Objective.ts';
import { nonFiniteProduct } from './nonFiniteProduct.ts';
import { generator, normals, signs } from './random.ts';
import { correction, renewModel, type SpectralModel } from './spectralModel.ts';
import { addScaled, addSingles, dot, norm, rescale } from './vector.ts';

/** One vector with its product: a free direction for the search where the product is known already. */
export interface KnownProduct extends HessianProduct {
  readonly vector: Float32Array;
}

/** An eigenvalue λ of H with its unit eigenvector q, and everything linear in q that came with it. */
export interface Eigenpair extends KnownProduct {
  /** λ. */
  readonly value: number;
  /** ‖H q − λ q‖: some eigenvalue of H lies within this distance of λ. */
  readonly residual: number;
}

/** What the search found, and what it cost. */
export interface Eigenpairs {
  /** The pairs wanted: the largest first, or the smallest first. */
  readonly pairs: readonly Eigenpair[];
  /** Products with H that were made here; those handed in as known are not counted. */
  readonly products: number;
  /** Whether every residual met the tolerance. */
  readonly converged: boolean;
  /** What the search has learnt of H: where the search in a nearby H begins. */
  readonly model: SpectralModel;
  /** Stands for this search where something is remembered of it, which is not to hold its vectors. */
  readonly token: object;
}

export interface EigenpairsOptions {
  /** The name in error messages. */
  readonly who: string;
  /** m. */
  readonly dimension: number;
  /** How many pairs, at most `dimension`. */
  readonly count: number;
  /** Largest or smallest algebraic eigenvalues. */
  readonly end: 'largest' | 'smallest';
  /** Stop when ‖Hq − λq‖ ≤ tolerance·|λ_1| for every pair. */
  readonly tolerance: number;
  /** Stop after so many products. */
  readonly maxProducts: number;
  /** What a search in a nearby H has learnt; null: begin without. */
  readonly nearby: SpectralModel | null;
  /** Directions whose products are known or worth making: asked for where a search begins with nothing. */
  known(): Promise<readonly KnownProduct[]>;
  /** Of the random directions. */
  readonly seed: number;
}

/**
 * A direction whose part outside the basis is below this share of it is left out: its product would be mostly
 * rounding.
 */
const NEW_PART = 1e-3;
/**
 * A first pair whose residual is a larger share of its value than this is of another H: what was learnt is then
 * forgotten.
 */
const FORGET = 0.5;
/** Length of the noise in a direction that scouts; what is remembered has 1. */
const NOISE = 0.3;
/**
 * A remembered eigenvalue is looked at where it would be among those wanted if it were off by this share of the root
 * mean square by which the remembered ones have changed.
 */
const MARGIN = 0.5;
/**
 * A search that begins with nothing also wants the next pair, which may be one of those wanted, to so many times
 * their residual.
 */
const GUARD = 3;
/** The basis is compressed to the best Ritz vectors when it has this many vectors beyond the pairs wanted. */
const BASIS_BEYOND = 30;
/** Ritz vectors beyond the pairs wanted that survive a compression. */
const KEPT_BEYOND = 6;
/** Residuals below this share of the largest Ritz value in magnitude are the rounding of float32 products. */
export const ROUNDING = 1e-6;
/** Eigenpairs beyond those wanted that are remembered, and the entries that their vectors may have in all (256 MiB). */
const REMEMBERED_BEYOND = 13;
const REMEMBERED_ENTRIES = 2 ** 26;
/**
 * The k largest (or smallest) algebraic eigenvalues of a symmetric H that is known by its products alone.
 *
 * Rayleigh–Ritz on an orthonormal basis V [m × d] with W = H V: the eigenpairs (λ, y) of VᵀW give λ and q = V y with
 * residual r = W y − λ q, and the residual of the first pair that is not there yet is the next direction. From a
 * single start vector this is Lanczos's method with full reorthogonalisation, since every Ritz residual is then
 * parallel to the next Lanczos vector. A basis that has grown too long is compressed to its best Ritz vectors (thick
 * restart).
 *
 * Near an H that was searched before it is Davidson's method: it begins from the eigenvectors found there, and
 * corrects with (λI − H̃)⁻¹ r, H̃ the eigenpairs wanted and the 13 of largest magnitude beside them that earlier
 * searches have come upon. Every correction then removes from an eigenvector what first-order perturbation theory
 * says.
 *
 * The residuals of the pairs wanted say nothing of an eigenvalue that overtakes while its eigenvector does not turn. So
 * every such search makes one product more, with a signed sum of all that is remembered beside those pairs, of a
 * direction outside it that is power-iterated from search to search, and of noise. To first order it gives every
 * remembered eigenvalue, and one that may have overtaken is looked at. That is an estimate: of 100 seeds of eigenvalues
 * that cross on fixed eigenvectors (m = 40, by 0.3 to 3 % of λ_1 a search) 1 to 22 saw a remembered one late, by 4
 * searches at most, and 24 to 75 one that rose out of the bulk, by 10 at most.
 *
 * Chosen by measurement: along gradient descent at the edge, to a residual of 1e-3 for three pairs (`node
 * bench/eigenProducts.ts`), it needs 7 products a step in the median; the same start with plain residuals, which is a
 * block Krylov method, 9 (without that one product more); Lanczos from ∇L or from a random vector 18. LOBPCG's basis
 * (pairs, residuals and the last directions) is a part of this one.
 *
 * Where the first pair found before is none any more, what was learnt is forgotten, and the search begins anew. A
 * search that begins with nothing also takes the known directions, and goes on until the pair after those wanted is
 * nearly there too. On small networks that takes one product more, on a cnn6 up to as many again; of 350 first
 * searches for three pairs, 1 took λ_4 for a λ_3 beside it, where 4 did.
 *
 * An eigenvalue of multiplicity above k, or an eigenvector orthogonal to the start, can be missed: a small residual
 * proves that an eigenvalue is near, not that it is the largest.
 *
 * Cost: the products that it reports; on the host O(m d) a product, and 17 m numbers between searches.
 *
 * Source: Lanczos (1950); Davidson (1975); Wu and Simon (2000), thick restart.
 *
 * @throws BrinkError where a product is not finite.
 */
export async function extremeEigenpairs(
  apply: (v: Float32Array) => Promise<HessianProduct>,
  options: EigenpairsOptions,
): Promise<Eigenpairs> {
  const { who, dimension, count, end, tolerance, maxProducts, nearby, known, seed } = options;
  const before = (a: number, b: number) => (end === 'largest' ? b - a : a - b);
  const random = generator(seed, dimension);
  const gaussian = () => Float32Array.from(normals(random, dimension));

  let basis: KnownProduct[] = [];
  /** VᵀHV, row by row. */
  let ritzMatrix: number[][] = [];
  let products = 0;

  /** Adds a direction to the basis; false where it has next to no part outside it. */
  async function extend(direction: Float32Array, known?: HessianProduct): Promise<boolean> {
    const scale = norm(direction);
    if (!(scale > 0) || basis.length >= dimension) return false;
    const image = known ?? { product: new Float32Array(0), projections: null };
    const v = Float64Array.from(direction);
    const w = Float64Array.from(image.product);
    const p = image.projections && Float64Array.from(image.projections);
    // Twice is enough (Kahan; Parlett, 1980).
    for (let pass = 0; pass < 2; pass++) {
      for (const b of basis) {
        const c = -dot(b.vector, v);
        addScaled(v, b.vector, c);
        if (known) addScaled(w, b.product, c);
        if (p) addScaled(p, b.projections!, c);
      }
    }
    const part = norm(v);
    if (part < NEW_PART * scale) return false;
    for (const x of [v, w, p]) if (x) rescale(x, 1 / part);
    const vector = Float32Array.from(v);
    let next: KnownProduct;
    if (known) {
      next = { vector, product: Float32Array.from(w), projections: p };
    } else {
      next = { vector, ...(await apply(vector)) };
      products++;
    }
    const column = basis.map((b) => (dot(b.vector, next.product) + dot(b.product, vector)) / 2);
    column.push(dot(vector, next.product));
    if (!column.every(Number.isFinite)) throw nonFiniteProduct(who);
    ritzMatrix = [...ritzMatrix.map((row, i) => [...row, column[i]!]), column];
    basis.push(next);
    return true;
  }

  /** V y, W y, P y. */
  function combine(y: readonly number[]): KnownProduct {
    const sum = (part: (b: KnownProduct) => Float32Array) => {
      const out = new Float64Array(dimension);
      addSingles(out, basis.map(part), y);
      return Float32Array.from(out);
    };
    const projections = basis[0]!.projections && new Float64Array(basis[0]!.projections.length);
    if (projections) for (const [i, b] of basis.entries()) addScaled(projections, b.projections!, y[i]!);
    return { vector: sum((b) => b.vector), product: sum((b) => b.product), projections };
  }

  /** Eigenvalues of VᵀHV from the wanted end, with their coordinates y in the basis. */
  function ritz(): { values: number[]; coordinates: number[][] } {
    const decomposition = new EigenvalueDecomposition(new Matrix(ritzMatrix), { assumeSymmetric: true });
    const values = decomposition.realEigenvalues;
    const order = values.map((_, i) => i).sort((i, j) => before(values[i]!, values[j]!));
    const columns = decomposition.eigenvectorMatrix.transpose().to2DArray();
    return { values: order.map((i) => values[i]!), coordinates: order.map((i) => columns[i]!) };
  }

  function residualOf(pair: KnownProduct, value: number): Float64Array {
    const r = Float64Array.from(pair.product);
    addScaled(r, pair.vector, -value);
    return r;
  }

  for (const direction of nearby?.vectors.slice(0, count) ?? []) await extend(direction);
  const steer = nearby !== null && basis.length > 0 && isNear() ? nearby : null;
  const scouted = steer && (await scout(steer));
  const directions = steer === null ? await known() : [];
  for (const k of directions) await extend(k.vector, k);
  // Known directions do not count: they may lie in a space that H maps into itself, and hide what is outside.
  const enough = Math.min(count + directions.length, dimension);
  while (basis.length < enough) await extend(gaussian());

  /** Whether the first pair is still one, more or less. */
  function isNear(): boolean {
    const { values, coordinates } = ritz();
    return norm(residualOf(combine(coordinates[0]!), values[0]!)) <= FORGET * Math.max(...values.map(Math.abs));
  }

  /**
   * One product that asks after everything but the pairs wanted, z = Σ_k ±u_k + noise: of each u_k, H's value is about
   * u_kᵀHz / u_kᵀz. Those that may have overtaken join the basis.
   *
   * @returns Hz; null where there is nothing else.
   */
  async function scout({ values, vectors, scout, searches }: SpectralModel): Promise<Float32Array | null> {
    const last = ritz().values[Math.min(count, basis.length) - 1]!;
    const others = [...vectors.slice(count), ...(scout ? [scout] : [])];
    const own = generator(seed, dimension, searches);
    const sign = signs(own, others.length);
    const z = normals(own, dimension);
    rescale(z, NOISE / Math.sqrt(dimension));
    for (const [k, u] of others.entries()) addScaled(z, u, sign[k]!);
    if (!(await extend(Float32Array.from(z)))) return null;
    const { vector, product } = basis.at(-1)!;
    const found = others.map((u) => dot(u, product) / dot(u, vector));
    const changes = values.slice(count).map((value, k) => found[k]! - value);
    const margin = changes.length === 0 ? 0 : (MARGIN * norm(Float64Array.from(changes))) / Math.sqrt(changes.length);
    for (const [k, u] of others.entries()) if (before(last, found[k]!) >= -margin) await extend(u);
    return product;
  }

  for (;;) {
    const { values, coordinates } = ritz();
    const limit = Math.max(tolerance * Math.abs(values[0]!), ROUNDING * Math.max(...values.map(Math.abs)));
    const measured = (j: number) => {
      const pair = combine(coordinates[j]!);
      const r = residualOf(pair, values[j]!);
      return { pair: { ...pair, value: values[j]!, residual: norm(r) }, r };
    };
    const pairs: Eigenpair[] = [];
    let direction: { r: Float64Array; value: number } | undefined;
    // The first pair that is not there yet gives the next direction; those after it need not be looked at before.
    const last = products >= maxProducts || basis.length >= dimension;
    const guard = steer === null && count < values.length ? 1 : 0;
    for (let j = 0; j < count + guard && (direction === undefined || last); j++) {
      const { pair, r } = measured(j);
      if (j < count) pairs.push(pair);
      if (pair.residual > limit * (j < count ? 1 : GUARD)) direction ??= { r, value: pair.value };
    }
    if (direction === undefined || last) {
      const size = Math.min(count + REMEMBERED_BEYOND, Math.max(count, Math.floor(REMEMBERED_ENTRIES / dimension)));
      const old = steer ?? { values: [], vectors: [], searches: 0 };
      const model = renewModel(basis, ritzMatrix, old, { size, first: count, before, scouted });
      return { pairs, products, converged: pairs.every(({ residual }) => residual <= limit), model, token: {} };
    }

    if (basis.length >= count + BASIS_BEYOND) {
      const keep = count + KEPT_BEYOND;
      const kept = coordinates.slice(0, keep).map(combine);
      basis = kept;
      ritzMatrix = kept.map((_, i) => kept.map((_, j) => (i === j ? values[i]! : 0)));
    }
    const { r, value } = direction;
    const corrected = steer !== null && (await extend(Float32Array.from(correction(steer, r, value))));
    if (!corrected && !(await extend(Float32Array.from(r)))) await extend(gaussian());
  }
}
