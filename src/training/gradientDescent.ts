import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { Observable, type Subscriber } from 'rxjs';
import { BrinkError, DivergedError, requireInteger, requireNumber } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import type { Objective, Point } from '../core/Objective.ts';
import { openStep, type Step } from '../core/Step.ts';
import type { StepSource } from '../core/StepSource.ts';
import { drawBatch, generator } from '../linalg/random.ts';

/** How to train. */
export interface GradientDescentOptions {
  /** η > 0. */
  readonly learningRate: number;
  /** T, the number of updates: steps 0 … T are emitted, the last being the point arrived at. */
  readonly steps: number;
  /**
   * Ends the run, after the step where it holds is emitted, once the loss over all n examples is at most `loss` or the accuracy over
   * them at least `accuracy`. Looked at on the first step of every epoch: each step of full-batch GD, where it is free, and once
   * an epoch of SGD, where it costs a forward pass (also each step where β₂ > 0).
   */
  readonly until?: { readonly loss?: number; readonly accuracy?: number };
  /** b, from 1 to n; default n: full-batch GD. */
  readonly batchSize?: number;
  /** Whether a batch may hold an example twice; default false. */
  readonly replacement?: boolean;
  /** β₁, from 0 to 1; default 0. */
  readonly beta1?: number;
  /** β₂, from 0 to 1; default 0, Polyak's momentum. Nesterov's is β₂ = β₁. */
  readonly beta2?: number;
  /** Of θ_0 and of the batches; default 0. */
  readonly seed?: number;
  /** θ_0, flat [m]; default `objective.initialWeights(seed)`. */
  readonly initialWeights?: Float32Array;
}

const WHO = 'gradientDescent';

/** Sets the generators of batches apart from any other that is seeded by (seed, t). */
const BATCHES = 0x626174;

/** Loss and gradient where the update takes them. */
interface Evaluation {
  readonly loss: number;
  readonly gradient: Float32Array;
  readonly exampleLosses: Float64Array | null;
}

/**
 * Trains by gradient descent, on all examples or on random batches, with generalized momentum, and emits every step.
 *
 *     δ_t = β₁ δ_{t−1} − η g_t(θ_t + β₂ δ_{t−1}),   θ_{t+1} = θ_t + δ_t,   δ_{−1} = 0,   all of shape [m]
 *
 * with g_t the gradient of the mean loss over the batch of step t; without a batch size it is ∇L. With batch normalisation the
 * batch is normalised over itself, as usual; where it is larger than the objective's chunk it is cut into chunks of that size. An
 * update is computed in float64 from float32 numbers and rounded once. The batch of step t is a function of (seed, t) alone.
 *
 * The stream is cold: each subscription is a run of its own, the same bits each time on one engine. It emits a step, waits for
 * all work registered on it (`step.waitUntil`), yields to the event loop, and moves on. Unsubscribing stops it between two passes.
 *
 * That the loss falls does not show that the step is small against 2/λ_1: above that edge it may fall over many steps and
 * rise within them.
 *
 * Cost: b/n gradients a step; for full-batch GD without look-ahead that gradient is shared with the probes.
 *
 * @param objective L.
 * @param options `learningRate` and `steps`; `until`, `batchSize`, `replacement`, `beta1`, `beta2`, `seed`, `initialWeights`.
 * @throws BrinkError at the call for an option out of its range.
 * @throws DivergedError in the stream, once the loss, the gradient or a weight is not finite; the steps before it were emitted.
 * @throws BrinkError in the stream, where that is so at θ_0 already: then the data or θ_0 is at fault, not the training.
 *
 * Source: Lee and Jang's generalized momentum, which holds Polyak's (1964) and Nesterov's (1983).
 */
export function gradientDescent(objective: Objective, options: GradientDescentOptions): StepSource {
  const { paramCount: m, exampleCount: n } = objective;
  const { learningRate, steps, until, batchSize = n, replacement = false, beta1 = 0, beta2 = 0, seed = 0 } = options;
  requireNumber(WHO, 'learningRate', learningRate, 0);
  requireInteger(WHO, 'steps', steps, 0);
  requireInteger(WHO, 'batchSize', batchSize, 1);
  if (batchSize > n) throw new BrinkError(WHO, `batchSize is ${batchSize}. The objective has ${n} examples.`);
  if (batchSize === 1 && objective.coupled) {
    throw new BrinkError(
      WHO,
      'batchSize is 1. The model normalises over the batch, and over one example there is nothing to normalise; take 2 at least.',
    );
  }
  if (replacement && options.batchSize === undefined) {
    throw new BrinkError(
      WHO,
      'replacement is true without a batchSize. Full-batch GD draws nothing; give a batchSize.',
    );
  }
  requireShare('beta1', beta1);
  requireShare('beta2', beta2);
  requireInteger(WHO, 'seed', seed, 0);
  if (until?.loss !== undefined) requireNumber(WHO, 'until.loss', until.loss, Number.NEGATIVE_INFINITY);
  if (until?.accuracy !== undefined) requireShare('until.accuracy', until.accuracy);
  const given = options.initialWeights?.slice();
  if (given) requireWeights(given, m);

  const isFullBatch = batchSize === n && !replacement;
  const hasMomentum = beta1 > 0 || beta2 > 0;

  async function evaluate(point: Point, batch: Int32Array | null): Promise<Evaluation> {
    if (batch) return point.batchGradient(batch);
    const gradient = await point.gradient();
    return { ...(await point.performance('train')), gradient };
  }

  async function isReached(point: Point, t: number): Promise<boolean> {
    const beginsEpoch = Math.floor((t * batchSize) / n) > Math.floor(((t - 1) * batchSize) / n);
    if (!until || !beginsEpoch) return false;
    const { loss, accuracy } = await point.performance('train');
    if (until.accuracy !== undefined && accuracy === null) {
      throw new BrinkError(WHO, `until.accuracy is ${until.accuracy}. The objective has no classes; use until.loss.`);
    }
    const isLossLow = until.loss !== undefined && loss <= until.loss;
    const isAccuracyHigh = until.accuracy !== undefined && accuracy !== null && accuracy >= until.accuracy;
    return isLossLow || isAccuracyHigh;
  }

  /** What to say of a value that is not finite: a batch that is so at θ_0 too is no divergence. */
  async function explain(fault: string, t: number, start: Float32Array, batch: Int32Array | null) {
    // Full-batch GD has passed θ_0 long before any later step.
    const atStart = t === 0 || batch ? await evaluate(objective.at(start), batch) : null;
    if (!atStart || !findFault(atStart, start)) {
      return new DivergedError(
        WHO,
        t,
        `${fault} at step ${t}, learning rate ${learningRate}. Training has diverged: the updates overshoot by more each step. Use a smaller learningRate.`,
      );
    }
    const k = atStart.exampleLosses?.findIndex((loss) => !Number.isFinite(loss)) ?? -1;
    const example = k < 0 ? '' : `; example ${batch ? batch[k] : k} has loss ${atStart.exampleLosses![k]} there`;
    return new BrinkError(
      WHO,
      `${fault} at step ${t}, and it is no divergence: it is so at θ_0, before any update${example}. Look for NaN, infinite or huge numbers in the data and in the initial weights.`,
    );
  }

  async function train(subscriber: Subscriber<Step>): Promise<void> {
    let weights = given ?? objective.initialWeights(seed);
    let velocity = hasMomentum ? new Float32Array(m) : null;
    const start = weights;

    for (let t = 0; ; t++) {
      const batch = isFullBatch ? null : drawBatch(generator(seed, t, BATCHES), n, batchSize, replacement);
      const point = objective.at(weights);
      // δ_{−1} = 0, so step 0 has nothing to look ahead by.
      const evaluation = await evaluate(velocity && beta2 > 0 && t > 0 ? point.moved(velocity, beta2) : point, batch);
      if (subscriber.closed) return;
      const fault = findFault(evaluation, weights);
      if (fault) throw await explain(fault, t, start, batch);

      const { step, settled } = openStep({
        index: t,
        weights,
        gradient: evaluation.gradient,
        batchLoss: evaluation.loss,
        batch,
        batchSize,
        replacement,
        learningRate,
        beta1,
        beta2,
        velocity,
        epoch: (t * batchSize) / n,
      });
      subscriber.next(step);
      await settled();
      await setImmediate();
      if (subscriber.closed || t === steps || (await isReached(point, t))) return;

      ({ weights, velocity } = update(step));
    }
  }

  const source = new Observable<Step>((subscriber) => {
    train(subscriber).then(
      () => subscriber.complete(),
      (error) => subscriber.error(error),
    );
  });
  const metadata: JsonObject = {
    optimizer: WHO,
    learningRate,
    steps,
    until: until ? { loss: until.loss ?? null, accuracy: until.accuracy ?? null } : null,
    batchSize,
    replacement,
    beta1,
    beta2,
    seed,
    initialWeights: given ? `sha256 ${createHash('sha256').update(given).digest('hex')}` : 'seed',
    objective: objective.metadata,
  };
  return Object.assign(source, { total: steps + 1, metadata });
}

/** θ_{t+1} and δ_t, each rounded to float32 once. */
function update({ weights, gradient, velocity, learningRate, beta1 }: Step) {
  const next = new Float32Array(weights.length);
  const delta = velocity && new Float32Array(weights.length);
  for (let k = 0; k < weights.length; k++) {
    const change = (velocity ? beta1 * velocity[k]! : 0) - learningRate * gradient[k]!;
    next[k] = weights[k]! + change;
    if (delta) delta[k] = change;
  }
  return { weights: next, velocity: delta };
}

/** Names the first number that is not finite; null where all are. */
function findFault({ loss, gradient }: Evaluation, weights: Float32Array): string | null {
  if (!Number.isFinite(loss)) return `the batch loss is ${loss}`;
  for (const [name, array] of [
    ['∇L', gradient],
    ['θ', weights],
  ] as const) {
    const k = findNonFinite(array);
    if (k >= 0) return `entry ${k} of ${name} is ${array[k]}`;
  }
  return null;
}

function findNonFinite(array: Float32Array): number {
  for (let k = 0; k < array.length; k++) if (!Number.isFinite(array[k]!)) return k;
  return -1;
}

function requireShare(name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new BrinkError(WHO, `${name} is ${value}. It must lie in [0, 1].`);
}

function requireWeights(weights: Float32Array, m: number): void {
  if (weights.length !== m) {
    throw new BrinkError(WHO, `initialWeights has ${weights.length} entries. The objective has ${m} parameters.`);
  }
  const k = findNonFinite(weights);
  if (k >= 0) throw new BrinkError(WHO, `entry ${k} of initialWeights is ${weights[k]}. It must be finite.`);
}
