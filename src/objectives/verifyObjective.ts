import { requireOptions } from '../core/given.ts';
import type { Objective } from '../core/Objective.ts';
import { generator, normals } from '../linalg/random.ts';
import { addScaled, dot, norm } from '../linalg/vector.ts';

export interface VerifyOptions {
  /** Where, default the initial weights of `seed`. */
  readonly weights?: Float32Array;
  /** Of the weights and the directions, default 0. */
  readonly seed?: number;
}

/** One check: how far two ways to the same number lie apart. */
export interface Check {
  readonly name: string;
  /** Relative error. */
  readonly error: number;
  /** What an objective that is right stays below. */
  readonly allowed: number;
  readonly passed: boolean;
}

/** What was found. */
export interface Verification {
  readonly passed: boolean;
  readonly checks: readonly Check[];
}

/**
 * Steps of the differences, relative to ‖θ‖: the best counts, since rounding spoils the small ones and kinks the
 * large ones.
 */
const STEPS = [3e-2, 1e-2, 3e-3, 1e-3, 3e-4];
/** Differences of float32 numbers, across a kink or two. */
const BY_DIFFERENCES = 2e-2;
/** Equal up to the order of float32 sums. */
const BY_ROUNDING = 2e-4;
/** Examples whose projection is compared with their own gradient. */
const EXAMPLES = 3;

/**
 * Checks an objective on the spot: its gradient against differences of the loss, H v against differences of the
 * gradient, the symmetry uᵀHv = vᵀHu, and the projections g_iᵀv against single gradients.
 *
 * A model of your own, or a loss of your own, can be differentiated wrongly without an error; this is how to know. It
 * looks at one point and a few directions: passing does not prove that every direction is right.
 *
 * Cost: 10 forward passes, 11 gradients, 2 products, and 3 gradients of single examples.
 *
 * @param objective What to check.
 * @param options `weights` (the initial weights of `seed`), `seed` (0).
 * @returns Each check with its error; nothing is thrown where one fails.
 */
export async function verifyObjective(objective: Objective, options: VerifyOptions = {}): Promise<Verification> {
  requireOptions('verifyObjective', options, ['weights', 'seed'], '{ seed: 1 }');
  const { seed = 0, weights = objective.initialWeights(seed) } = options;
  const random = generator(seed, 0x76657266);
  const direction = () => Float32Array.from(normals(random, objective.paramCount));
  const [u, v] = [direction(), direction()];
  const point = objective.at(weights);
  const gradient = await point.gradient();
  const Hv = await point.hessianVector(v);
  const { product: Hu } = await point.hessianVector(u);

  const size = norm(weights) || 1;
  const [length, slope] = [norm(v), norm(gradient) || 1];
  const unit = size / length;
  // Half along the gradient: a random direction is nearly orthogonal to it, and would not see a wrong length.
  const tilted = Float32Array.from(v, (x, k) => x / length + gradient[k]! / slope);
  const slopeErrors: number[] = [];
  const productErrors: number[] = [];
  for (const step of STEPS) {
    const scale = step * unit;
    const rise = (await point.moved(tilted, step * size).loss()) - (await point.moved(tilted, -step * size).loss());
    // Where ∇L vanishes the loss still bends: by step·‖θ‖·‖Hv‖, against which a difference of it is right or wrong.
    const bend = step * size * (norm(Hv.product) / length);
    slopeErrors.push(
      relative(rise / (2 * step * size) - dot(gradient, tilted), (norm(gradient) + bend) * norm(tilted)),
    );
    const [plus, minus] = [point.moved(v, scale), point.moved(v, -scale)];
    const difference = Float64Array.from(await plus.gradient());
    addScaled(difference, await minus.gradient(), -1);
    const error = difference.map((d, k) => d / (2 * scale) - Hv.product[k]!);
    productErrors.push(relative(norm(error), norm(Hv.product)));
  }
  const checks = [
    check('gradient against differences of the loss', Math.min(...slopeErrors), BY_DIFFERENCES),
    check('H v against differences of the gradient', Math.min(...productErrors), BY_DIFFERENCES),
    check('symmetry of H', relative(dot(u, Hv.product) - dot(v, Hu), norm(u) * norm(Hv.product)), BY_ROUNDING),
  ];
  if (Hv.projections !== null) {
    const errors: number[] = [];
    for (let i = 0; i < Math.min(EXAMPLES, objective.exampleCount); i++) {
      const { gradient: single } = await point.batchGradient(Int32Array.of(i));
      errors.push(relative(Hv.projections[i]! - dot(single, v), norm(single) * norm(v)));
    }
    checks.push(check('projections against single gradients', Math.max(...errors), BY_ROUNDING));
  }
  return { passed: checks.every(({ passed }) => passed), checks };
}

const check = (name: string, error: number, allowed: number): Check => ({
  name,
  error,
  allowed,
  passed: error <= allowed,
});

/** |error|/scale; 0 where both are 0. NaN fails every check. */
const relative = (error: number, scale: number) => (error === 0 ? 0 : Math.abs(error) / scale);
