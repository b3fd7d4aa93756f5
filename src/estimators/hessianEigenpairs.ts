import type { Point } from '../core/Objective.ts';
import { type Eigenpair, type Eigenpairs, extremeEigenpairs, ROUNDING } from '../linalg/eigenpairs.ts';
import { dot, largest, norm } from '../linalg/vector.ts';

/** Which eigenpairs, and how exactly. */
export interface EigenpairSettings {
  readonly who: string;
  /** How many pairs. */
  readonly count: number;
  /** Default 'largest'. */
  readonly end?: 'largest' | 'smallest';
  /** ‖Hq − λq‖ ≤ tolerance·|λ_1|. */
  readonly tolerance: number;
  /** Default 200. */
  readonly maxProducts?: number;
  /** Of the random start directions, default 0. */
  readonly seed?: number;
}

/**
 * Eigenpairs of H at a point, begun from what the search at an earlier point has learnt, or, where there is none or it
 * no longer holds, from ∇L, whose product IAS needs anyway.
 *
 * Probes that ask with equal settings and share their history share the work: the result is remembered at the point
 * under the settings and `previous`, so it does not depend on which other probes run. Therefore a finer or larger
 * search that is there already does not serve a coarser one: which of two probes asks first differs between a live run
 * and its replay, where the gradient is not there yet, and its rows would differ with it. Who wants one search for two
 * probes gives both the same count and tolerance. q is signed so that qᵀ∇L ≥ 0.
 *
 * Cost: one gradient (shared) and the products that it reports; where it begins anew H∇L (shared) is among them.
 */
export function hessianEigenpairs(
  point: Point,
  settings: EigenpairSettings,
  previous: Eigenpairs | null,
): Promise<Eigenpairs> {
  const { who, count, end = 'largest', tolerance, maxProducts = 200, seed = 0 } = settings;
  return point.memo(['hessianEigenpairs', count, end, tolerance, maxProducts, seed, previous?.token], async () => {
    const gradient = await point.gradient();
    let seen = 0;
    const known = async () => {
      if (norm(gradient) === 0) return [];
      seen = 1;
      return [{ vector: gradient, ...(await point.hessianVector(gradient)) }];
    };
    const found = await extremeEigenpairs((v) => point.hessianVector(v), {
      who,
      dimension: gradient.length,
      count,
      end,
      tolerance,
      maxProducts,
      seed,
      nearby: previous?.model ?? null,
      known,
    });
    return {
      ...found,
      products: found.products + seen,
      pairs: found.pairs.map((pair) => alongGradient(pair, gradient)),
    };
  });
}

/** The same pair with q or −q, whichever has qᵀ∇L ≥ 0. */
function alongGradient(pair: Eigenpair, gradient: Float32Array): Eigenpair {
  if (dot(pair.vector, gradient) >= 0) return pair;
  return {
    ...pair,
    vector: pair.vector.map((x) => -x),
    product: pair.product.map((x) => -x),
    projections: pair.projections?.map((x) => -x) ?? null,
  };
}

/**
 * How far the first eigenvalue may be off: ‖Hq − λq‖² over the gap to the next one that is known of, at most ‖Hq − λq‖,
 * and the rounding of float32 products.
 */
export function errorOfFirst({ pairs, model }: Eigenpairs): number {
  const { value, residual } = pairs[0]!;
  const gap = value - largest(model.values.slice(1));
  const missing = gap > residual ? residual ** 2 / gap : residual;
  return missing + ROUNDING * largest(model.values.map(Math.abs));
}
