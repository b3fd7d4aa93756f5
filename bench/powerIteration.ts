import { generator, normals } from '../src/linalg/random.ts';
import { addScaled, dot, norm, rescale } from '../src/linalg/vector.ts';

/** A pair as power iteration leaves it. */
export interface PowerPair {
  readonly value: number;
  readonly vector: Float32Array;
  /** Products that this pair cost, beside those of the pairs before it. */
  readonly products: number;
}

export interface PowerIterationOptions {
  readonly dimension: number;
  /** How many pairs. */
  readonly count: number;
  /** 'change': |λ_t − λ_{t−1}| < tolerance·|λ_{t−1}|, as published; 'residual': ‖Hv − λv‖ ≤ tolerance·|λ_1|. */
  readonly stop: 'change' | 'residual';
  readonly tolerance: number;
  /** For each pair. */
  readonly maxProducts: number;
  readonly seed: number;
}

/**
 * The k eigenvalues of largest magnitude by power iteration with deflation, each from a random start: the peer's
 * method.
 *
 * v ← P H v/‖P H v‖ and λ = vᵀ P H v, P the projection off the eigenvectors found before; with 'residual' the
 * residual is taken behind P too, which is to the method's advantage, since what the vectors before lack is not
 * counted again.
 *
 * Source: PyHessian (Yao, Gholami, Keutzer and Mahoney, 2020), whose settings are 'change', 1e-3 and 100 products.
 */
export async function powerIteration(
  apply: (v: Float32Array) => Promise<Float32Array>,
  { dimension, count, stop, tolerance, maxProducts, seed }: PowerIterationOptions,
): Promise<PowerPair[]> {
  const pairs: PowerPair[] = [];
  const random = generator(seed, dimension);

  /** P x, in place. */
  const deflate = (x: Float64Array) => {
    for (const { vector } of pairs) addScaled(x, vector, -dot(vector, x));
    return x;
  };
  const unit = (x: Float64Array) => {
    rescale(x, 1 / norm(x));
    return Float32Array.from(x);
  };

  while (pairs.length < count) {
    let vector = unit(deflate(normals(random, dimension)));
    let before = Number.NaN;
    for (let products = 1; ; products++) {
      const image = deflate(Float64Array.from(await apply(vector)));
      const value = dot(vector, image);
      const residual = image.slice();
      addScaled(residual, vector, -value);
      const isDone =
        stop === 'change'
          ? Math.abs(value - before) < tolerance * Math.abs(before)
          : norm(residual) <= tolerance * Math.abs(pairs[0]?.value ?? value);
      if (stop === 'change' || !isDone) vector = unit(image);
      if (isDone || products === maxProducts) {
        pairs.push({ value, vector, products });
        break;
      }
      before = value;
    }
  }
  return pairs;
}
