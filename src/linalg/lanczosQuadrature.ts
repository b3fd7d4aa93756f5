import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { nonFiniteProduct } from './nonFiniteProduct.ts';
import { addScaled, dot, norm, rescale } from './vector.ts';

/** A measure of finitely many points: its weights add up to 1. */
export interface Quadrature {
  readonly nodes: readonly number[];
  readonly weights: readonly number[];
}

/**
 * Gauss quadrature of the spectral measure of a symmetric H seen from a start vector: Σ_k w_k f(θ_k) ≈ vᵀf(H)v for
 * unit v, exact for polynomials f of degree below 2·steps.
 *
 * Lanczos's recursion with full reorthogonalisation gives a tridiagonal T; θ_k are its eigenvalues and w_k the
 * squared first entries of its eigenvectors. Ends early where the start lies in an invariant subspace, and is then
 * exact.
 *
 * Cost: `steps` products.
 * @throws BrinkError where a product is not finite.
 * Source: Golub and Welsch (1969); Ubaru, Chen and Saad (2017).
 */
export async function lanczosQuadrature(
  who: string,
  apply: (v: Float32Array) => Promise<Float32Array>,
  start: Float32Array,
  steps: number,
): Promise<Quadrature> {
  const basis: Float32Array[] = [];
  const tridiagonal: number[][] = [];
  let next = Float64Array.from(start);
  let scale = 0;
  while (basis.length < steps) {
    const length = norm(next);
    // What is left of a product that lies in the basis is its rounding.
    if (length <= 1e-6 * scale) break;
    rescale(next, 1 / length);
    const v = Float32Array.from(next);
    const k = basis.length;
    const image = await apply(v);
    const alpha = dot(v, image);
    if (!Number.isFinite(norm(image))) throw nonFiniteProduct(who);
    tridiagonal.push(new Array<number>(k + 1).fill(0));
    tridiagonal[k]![k] = alpha;
    if (k > 0) {
      tridiagonal[k]![k - 1] = length;
      tridiagonal[k - 1]![k] = length;
    }
    basis.push(v);
    scale = Math.max(scale, norm(image));
    next = Float64Array.from(image);
    for (let pass = 0; pass < 2; pass++) for (const b of basis) addScaled(next, b, -dot(b, next));
  }
  const T = Matrix.zeros(basis.length, basis.length);
  tridiagonal.forEach((row, i) => {
    row.forEach((x, j) => {
      T.set(i, j, x);
      T.set(j, i, x);
    });
  });
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(T, { assumeSymmetric: true });
  return { nodes: realEigenvalues, weights: realEigenvalues.map((_, k) => eigenvectorMatrix.get(0, k) ** 2) };
}
