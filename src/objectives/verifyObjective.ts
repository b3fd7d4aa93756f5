import { requireOptions } from '../core/given.ts';
import type { Objective, Point } from '../core/Objective.ts';
import { generator, normals } from '../linalg/random.ts';
import { addScaled, dot, norm, type Vector } from '../linalg/vector.ts';

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

/** Steps of the differences, relative to ‖θ‖: each a quarter of the one before. */
const STEPS = Array.from({ length: 8 }, (_, k) => 1e-2 / 4 ** k);
/** Differences of float32 numbers, where two steps agree. */
const BY_DIFFERENCES = 5e-3;
/** Equal up to the order of float32 sums. */
const BY_ROUNDING = 2e-4;
/** The same numbers computed again. */
const BY_REPETITION = 1e-5;
/** Differences that lie no further apart, relative, than this are clear; two steps as near as this are enough. */
const CLEAR = 1e-3;
const ENOUGH = 2e-4;
/** Looks at single examples, each along a direction of its own: the last 4^−k of the entries of θ, for each k. */
const TAILS = [0, 5, 0, 2, 3, 0, 7, 1];
const SHORTEST_TAIL = 32;
/** Of coupled examples a batch takes the place of one. */
const COUPLED_BATCH = 4;
/** Of gradients that are shorter than this against the longest float32 may have lost digits: they decide nothing. */
const FAINT = 1e-2;
/** A Hessian that is smaller than this against ‖g‖/‖θ‖ is 0 in float32. */
const FLAT = 1e-4;
/** A ‖g_i‖² that is smaller than this against the largest may have lost digits within. */
const FLAT_NORM = 1e-6;
/** What rounding changes in a loss, relative. */
const FLOAT32 = 1e-7;

/**
 * Checks an objective on the spot: gradients against differences of the loss, H v against differences of the gradient,
 * the symmetry uᵀHv = vᵀHu, projections g_iᵀv and norms ‖g_i‖² against single gradients, single examples and batches
 * against the whole, and whether the same is said twice.
 *
 * A model of your own, or a loss of your own, can be differentiated wrongly without an error; this is how to know.
 *
 * Differences are taken of single examples (of small batches where examples are coupled), at steps that shrink by 4. A
 * network with relu or max pooling has a kink wherever a unit switches, and a difference across one is no derivative;
 * of n examples some unit always switches, of one example few do, and where one does two steps disagree, or the slopes
 * to the two sides. So each example is taken at the steps that agree best, which is judged without the derivative that
 * is checked, and those examples decide for which they agree to 1e-3 (the best where there is none). Half of them have
 * the largest losses around. Some directions move all of θ, others its last part alone, behind which fewer units
 * switch; H v has all its entries all the same.
 *
 * It looks at one point and a few directions: passing does not prove that every direction is right. Of 195 right ones
 * (tanh, gelu, relu, convolution with average and max pooling, residual, batch normalisation; cross-entropy and squared
 * error; 8 to 256 examples) none failed; of 60 wrong ones (gradient, H v or both 1 % off, a term that derivatives or
 * H v lack, noise, coupled examples called uncoupled) none passed. Don't check where a cross-entropy is below 0.05: in
 * float32 softmax − y has lost its digits there, and a right one fails.
 *
 * Cost: 2 forward passes, 6 gradients, 3 products, and at most 23 gradients of each of 8 examples.
 *
 * @param objective What to check.
 * @param options `weights` (the initial weights of `seed`), `seed` (0).
 * @returns Each check with its error; nothing is thrown where one fails.
 */
export async function verifyObjective(objective: Objective, options: VerifyOptions = {}): Promise<Verification> {
  requireOptions('verifyObjective', options, ['weights', 'seed'], '{ seed: 1 }');
  const { seed = 0, weights = objective.initialWeights(seed) } = options;
  const { paramCount, exampleCount: n, coupled } = objective;
  const random = generator(seed, 0x76657266);
  const direction = () => Float32Array.from(normals(random, paramCount));
  const [u, v] = [direction(), direction()];
  const point = objective.at(weights);
  const gradient = await point.gradient();
  const Hv = await point.hessianVector(v);
  const { product: Hu } = await point.hessianVector(u);
  const size = norm(weights) || 1;

  const losses = coupled ? null : await point.exampleLosses();
  const largest = Float64Array.from(losses ?? [await point.loss()], Math.abs).reduce((a, b) => Math.max(a, b));
  const batches = coupled ? spread(n) : singlesOf(losses, n);
  const found: Differences[] = [];
  for (const [k, shorter] of TAILS.entries()) {
    const along = tail(k < TAILS.length / 2 ? v : u, shorter);
    found.push(await differences(point, batches[k % batches.length]!, along, size, largest));
  }
  const longest = Math.max(...found.map((one) => norm(one.gradient)));
  const heard = found.filter((one) => !(norm(one.gradient) < FAINT * longest));
  const clearest = (of: (one: Differences) => Compared) => {
    const sorted = heard.map(of).toSorted((a, b) => a.doubt - b.doubt);
    const clear = sorted.filter(({ doubt }) => doubt <= CLEAR);
    const decisive = clear.length > 0 ? clear : sorted.slice(0, 1);
    return Math.max(...decisive.map(({ error }) => error));
  };

  const again = point.moved(v, 0);
  const all = Int32Array.from({ length: n }, (_, i) => i);
  const whole = await point.batchGradient(all);
  const repeated = [
    relative((await again.loss()) - (await point.loss()), Math.abs(await point.loss())),
    apart(await again.gradient(), gradient),
  ];
  const parts = [
    relative(whole.loss - (await point.loss()), Math.abs(await point.loss())),
    apart(whole.gradient, gradient),
    apart(await point.batchHessianVector(all, v), Hv.product),
  ];
  const checks = [
    check(
      'gradient against differences of the loss',
      clearest(({ slope }) => slope),
      BY_DIFFERENCES,
    ),
    check(
      'H v against differences of the gradient',
      clearest(({ product }) => product),
      BY_DIFFERENCES,
    ),
    check('symmetry of H', relative(dot(u, Hv.product) - dot(v, Hu), norm(u) * norm(Hv.product)), BY_ROUNDING),
    check('the same twice', Math.max(...repeated), BY_REPETITION),
    check('the batch of all examples against the whole', Math.max(...parts), BY_ROUNDING),
  ];
  if (!coupled) {
    checks.push(check('single examples against the whole', await singles(point, found, gradient), BY_ROUNDING));
  }
  const { projections } = Hv;
  if (projections !== null) {
    const errors = found.map(({ batch: [i], gradient: single }) =>
      relative(projections[i!]! - dot(single, v), longest * norm(v)),
    );
    checks.push(check('projections against single gradients', Math.max(...errors), BY_ROUNDING));
  }
  if (objective.exampleNorms) {
    checks.push(check('norms against single gradients', await norms(point, found), BY_ROUNDING));
  }
  return { passed: checks.every(({ passed }) => passed), checks };
}

/** A number by differences beside the same by differentiation. */
interface Compared {
  readonly error: number;
  /** How far the differences of two steps lie apart, relative. */
  readonly doubt: number;
}

/** What one example, or a batch of a few, shows. */
interface Differences {
  readonly batch: Int32Array;
  readonly loss: number;
  readonly gradient: Float32Array;
  readonly slope: Compared;
  readonly product: Compared;
}

/** Compares ∇ℓ and H v of a batch with differences along v, tilted towards ∇ℓ; `largest` is the largest loss of all. */
async function differences(
  point: Point,
  batch: Int32Array,
  v: Float32Array,
  size: number,
  largest: number,
): Promise<Differences> {
  const { loss, gradient } = await point.batchGradient(batch);
  const [length, steepness] = [norm(v), norm(gradient.map((g, k) => (v[k] === 0 ? 0 : g))) || 1];
  // Half along the gradient: a random direction is nearly orthogonal to it, and would not see a wrong length.
  const d = Float32Array.from(v, (x, k) => (x === 0 ? 0 : x / length + gradient[k]! / steepness));
  const rise = dot(gradient, d);
  const bend = norm(await point.batchHessianVector(batch, d));

  let slope: Compared = { error: Number.NaN, doubt: Number.POSITIVE_INFINITY };
  let best: { doubt: number; difference: Float64Array; along: Float32Array } = {
    doubt: Number.POSITIVE_INFINITY,
    difference: new Float64Array(0),
    along: d,
  };
  let last: { rise: number; kink: number; difference: Float64Array; along: Float32Array } | null = null;
  for (const step of STEPS) {
    const h = step * size;
    const [plus, minus] = [point.moved(d, h), point.moved(d, -h)];
    const [above, below] = [await plus.batchGradient(batch), await minus.batchGradient(batch)];
    const difference = Float64Array.from(above.gradient, (g, k) => (g - below.gradient[k]!) / (2 * h));
    // θ ± h d are rounded: this is the direction between them.
    const along = plus.weights.map((w, k) => (w - minus.weights[k]!) / (2 * h));
    // How far the slopes on the two sides lie apart.
    const kink = (above.loss + below.loss - 2 * loss) / h;
    const seen = { rise: (above.loss - below.loss) / (2 * h), kink, difference, along };
    if (last) {
      // Where ∇ℓ vanishes the loss still bends, and where it doesn't it is rounded, as what cancels in it.
      const rounding = FLOAT32 * Math.max(Math.abs(loss), largest);
      const scale = Math.abs(rise) + 0.1 * h * bend + rounding / (BY_DIFFERENCES * h);
      // Of a smooth ℓ the two sides are four times as far apart at the larger step; what is not so is a kink's.
      const agreed = relative(last.rise - seen.rise, scale) + relative((4 * seen.kink - last.kink) / 6, scale);
      // A loss that stays where it is may have moved by less than float32 shows.
      const doubt = last.rise === 0 && seen.rise === 0 ? Number.POSITIVE_INFINITY : agreed;
      if (Number.isNaN(slope.error) || (slope.doubt > CLEAR && doubt < slope.doubt)) {
        slope = { error: relative(seen.rise - rise, scale), doubt };
      }
      const bent = apart(seen.difference, last.difference);
      if (bent < best.doubt) best = { doubt: bent, difference: last.difference, along: last.along };
    }
    last = seen;
    if (slope.doubt < ENOUGH && best.doubt < ENOUGH) break;
  }
  const product = await point.batchHessianVector(batch, best.along);
  const flat = (FLAT * norm(gradient) * norm(best.along)) / size;
  const error = best.difference.length === 0 ? Number.NaN : apart(best.difference, product, flat);
  return { batch, loss, gradient, slope, product: { error, doubt: best.doubt } };
}

/** How far losses and gradients of single examples are from those that a pass over all of them gives. */
async function singles(point: Point, found: readonly Differences[], gradient: Float32Array): Promise<number> {
  const n = point.objective.exampleCount;
  const losses = await point.exampleLosses();
  const size = Math.max(...found.map(({ loss }) => Math.abs(loss)));
  const errors = losses === null ? [] : found.map(({ batch: [i], loss }) => relative(losses[i!]! - loss, size));
  const u = new Float64Array(n);
  const sum = new Float64Array(gradient.length);
  found.forEach(({ batch: [i], gradient: single }, k) => {
    u[i!]! += k + 1;
    addScaled(sum, single, k + 1);
  });
  errors.push(apart(await point.weightedGradient(u), sum));
  errors.push(apart(await point.weightedGradient(new Float64Array(n).fill(1 / n)), gradient));
  return Math.max(...errors);
}

/** How far ‖g_i‖² are from those of single gradients, one that is far smaller than the others left its rounding. */
async function norms(point: Point, found: readonly Differences[]): Promise<number> {
  const squares = await point.exampleNormsSquared();
  const singles = found.map(({ batch: [i], gradient }) => ({ square: dot(gradient, gradient), of: squares[i!]! }));
  const floor = FLAT_NORM * Math.max(...singles.map(({ square }) => square));
  return Math.max(...singles.map(({ square, of }) => relative(of - square, square + floor)));
}

/** v in its last 4^−k of entries, 0 before. */
function tail(v: Float32Array, k: number): Float32Array {
  const from = v.length - Math.max(SHORTEST_TAIL, Math.ceil(v.length / 4 ** k));
  return v.map((x, j) => (j < from ? 0 : x));
}

/** Where parts of n, evenly over all of it, begin: as many as there are looks, of `length` examples at least. */
function beginnings(n: number, length: number): number[] {
  const count = Math.min(TAILS.length, Math.max(1, Math.floor(n / length)));
  return Array.from({ length: count }, (_, k) => Math.floor((k * n) / count));
}

/** Some batches of a few examples, evenly over all n. */
function spread(n: number): Int32Array[] {
  return beginnings(n, COUPLED_BATCH).map((from) =>
    Int32Array.from({ length: Math.min(COUPLED_BATCH, n - from) }, (_, i) => from + i),
  );
}

/**
 * Single examples, evenly over all: by turns the first of its part and the one with the largest loss there, as of a
 * small loss float32 may have no digit.
 */
function singlesOf(losses: Float64Array | null, n: number): Int32Array[] {
  return beginnings(n, 1).map((from, k, all) => {
    let chosen = from;
    if (losses && k % 2 === 1) {
      for (let i = from; i < (all[k + 1] ?? n); i++) if (losses[i]! > losses[chosen]!) chosen = i;
    }
    return Int32Array.of(chosen);
  });
}

const check = (name: string, error: number, allowed: number): Check => ({
  name,
  error,
  allowed,
  passed: error <= allowed,
});

/** ‖a − b‖ relative to ‖b‖, or to ‖b‖ + floor. */
function apart(a: Vector, b: Vector, floor = 0): number {
  const error = Float64Array.from(a);
  addScaled(error, b, -1);
  return relative(norm(error), norm(b) + floor);
}

/** |error|/scale; 0 where both are 0. NaN fails every check. */
const relative = (error: number, scale: number) => (error === 0 ? 0 : Math.abs(error) / scale);
