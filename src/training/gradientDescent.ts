import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { Observable, type Subscriber } from 'rxjs';
import { BrinkError, DivergedError } from '../core/errors.ts';
import { float32 } from '../core/given.ts';
import type { JsonObject } from '../core/Json.ts';
import type { Objective, Point } from '../core/Objective.ts';
import { openStep, type Step, type StepRun, stepRun } from '../core/Step.ts';
import { batchesOf } from './batches.ts';
import { learningRates } from './schedule.ts';
import { type GradientDescentOptions, requireSettings, WHO } from './settings.ts';
import { type StepGradient, stepGradient } from './stepGradient.ts';

/** Where a run stands: what its next step follows from, beside the options. */
export interface TrainingState {
  /** t of the first step. */
  readonly index: number;
  /** θ_t. */
  readonly weights: Float32Array;
  /** δ_{t−1}; null without momentum. */
  readonly velocity: Float32Array | null;
  /** Passes over the data before it. */
  readonly epoch: number;
}

type Weights = Pick<TrainingState, 'weights' | 'velocity'>;

/** Steps of a run that are known before it takes them. */
export interface KnownSteps {
  /** θ_t and δ_{t−1} as they are known, else as the run has computed them. Throws where the two may not differ. */
  at(index: number, own: Weights): Weights;
  /** Throws unless the loss of a known step's batch is the one that is known of it. */
  requireLoss(index: number, loss: number): void;
}

/**
 * Trains by gradient descent, on all examples or on random batches, with generalized momentum, and emits every step.
 *
 *     δ_t = β₁ δ_{t−1} − η_t g_t(θ_t + β₂ δ_{t−1}),   θ_{t+1} = θ_t + δ_t − η_t λ θ_t,   δ_{−1} = 0,   all [m]
 *
 * with g_t the gradient of the mean loss over the batch of step t; without a batch size it is ∇L. With batch
 * normalisation the batch is normalised over itself, as usual; where it is larger than the objective's chunk it is
 * cut into chunks of that size. An update is computed in float64 from float32 numbers and rounded once. The batch of
 * step t is a function of (seed, t) alone. A step carries the η_t of its own update, and its edge is the one of that
 * rate; weight decay λ, which is no part of L, takes λ off it: full-batch descent is stable below 2/η_t − λ.
 *
 * The stream is cold: each subscription is a run of its own, the same bits each time on one engine. It emits a step,
 * waits for all work registered on it (`step.waitUntil`), yields to the event loop, and moves on. Unsubscribing stops
 * it between two passes.
 *
 * That the loss falls does not show that the step is small against 2/λ_1: above that edge it may fall over many steps
 * and rise within them.
 *
 * A run that was killed goes on from its recording by `resume`, bit for bit; `fork` leaves it with other options.
 *
 * Cost: b/n gradients a step; for full-batch GD without look-ahead that gradient is shared with the probes.
 *
 * @param objective L.
 * @param options `learningRate` (a number or a `Schedule`) and `steps` or `epochs`; `until`, `batchSize`,
 *   `replacement`, `shuffle`, `weightDecay`, `beta1`, `beta2`, `seed`, `initialWeights`.
 * @throws BrinkError at the call for an option out of its range, or one that there is not.
 * @throws DivergedError in the stream, once the loss, the gradient or a weight is not finite; the steps before it
 *   were emitted.
 * @throws BrinkError in the stream, where that is so at θ_0 already: then the data or θ_0 is at fault, not the
 *   training.
 *
 * Source: Lee and Jang's generalized momentum, which holds Polyak's (1964) and Nesterov's (1983).
 */
export function gradientDescent(objective: Objective, options: GradientDescentOptions): Observable<Step> {
  return descend(objective, options, null, { metadata: {} });
}

/**
 * What `gradientDescent` is, from a state of its own choice on.
 *
 * @param options As there; `steps` is the index of the last step.
 * @param start Where it begins; null: at θ_0.
 * @param source What goes into the metadata beside the options, and what else the run is to know of its source.
 * @param known Steps that it is to pass through: it takes their weights as they are known, in place of its own.
 */
export function descend(
  objective: Objective,
  options: GradientDescentOptions,
  start: TrainingState | null,
  { metadata: more, ...source }: Partial<StepRun> & { readonly metadata: JsonObject },
  known?: KnownSteps,
): Observable<Step> {
  const { paramCount: m, exampleCount: n } = objective;
  requireSettings(options);
  const { until, batchSize = n, replacement = false, shuffle = 'independent', weightDecay = 0 } = options;
  const { beta1 = 0, beta2 = 0, seed = 0 } = options;
  if (batchSize > n) throw new BrinkError(WHO, `batchSize is ${batchSize}. The objective has ${n} examples.`);
  // A pass in whole numbers, and what a step adds to it.
  const [pass, perStep] = shuffle === 'epoch' ? [Math.floor(n / batchSize), 1] : [n, batchSize];
  const steps = updatesOf(options, pass, perStep);
  const rates = learningRates(WHO, options.learningRate, steps);
  if (start && steps < start.index) {
    throw new BrinkError(WHO, `steps is ${steps}, and the run begins at step ${start.index}. Nothing is left to do.`);
  }
  if (batchSize === 1 && objective.coupled) {
    throw new BrinkError(
      WHO,
      'batchSize is 1. The model normalises over the batch, and over one example there is nothing to normalise; take 2 at least.',
    );
  }
  const given =
    options.initialWeights === undefined
      ? null
      : Float32Array.from(float32(WHO, 'initialWeights', options.initialWeights));
  if (given && given.length !== m) {
    throw new BrinkError(WHO, `initialWeights has ${given.length} entries. The objective has ${m} parameters.`);
  }

  const isFullBatch = batchSize === n && !replacement;
  const hasMomentum = beta1 > 0 || beta2 > 0;

  async function isReached(point: Point, done: number): Promise<boolean> {
    const beginsEpoch = Math.floor(done / pass) > Math.floor((done - perStep) / pass);
    if (!until || !beginsEpoch) return false;
    const { loss, accuracy } = await point.performance('train');
    if (until.accuracy !== undefined && accuracy === null) {
      throw new BrinkError(WHO, `until.accuracy is ${until.accuracy}. The objective has no classes; use until.loss.`);
    }
    const isLossLow = until.loss !== undefined && loss <= until.loss;
    const isAccuracyHigh = until.accuracy !== undefined && accuracy !== null && accuracy >= until.accuracy;
    return isLossLow || isAccuracyHigh;
  }

  const first = start?.index ?? 0;
  const before = examplesBefore((start?.epoch ?? 0) * pass);
  const run = stepRun({
    ...source,
    objective,
    total: steps + 1 - first,
    last: steps,
    metadata: {
      optimizer: WHO,
      learningRate: rates.metadata,
      steps,
      until: until ? { loss: until.loss ?? null, accuracy: until.accuracy ?? null } : null,
      batchSize,
      replacement,
      ...(shuffle === 'epoch' && { shuffle }),
      ...(weightDecay > 0 && { weightDecay }),
      beta1,
      beta2,
      seed,
      initialWeights: given ? `sha256 ${createHash('sha256').update(given).digest('hex')}` : 'seed',
      ...more,
      objective: objective.metadata,
    },
  });

  /** What to say of a value that is not finite: a batch that is so at the run's first weights too is no divergence. */
  async function explain(fault: string, t: number, weights: Float32Array, batch: Int32Array | null) {
    // Full-batch GD has passed its first weights long before any later step.
    const place = { index: 0, weights, velocity: null, beta2: 0, batch };
    const atStart = t === first || batch ? await stepGradient(objective, place) : null;
    if (!atStart || !findFault(atStart, weights)) {
      return new DivergedError(
        WHO,
        t,
        `${fault} at step ${t}, learning rate ${rates.at(t)}. Training has diverged: the updates overshoot by more each step. Use a smaller learningRate.`,
      );
    }
    const k = atStart.exampleLosses?.findIndex((loss) => !Number.isFinite(loss)) ?? -1;
    const example = k < 0 ? '' : `; example ${batch ? batch[k] : k} has loss ${atStart.exampleLosses![k]} there`;
    return new BrinkError(
      WHO,
      `${fault} at step ${t}, and it is no divergence: it is so at θ_${first}, before any update${example}. Look for NaN, infinite or huge numbers in the data and in the initial weights.`,
    );
  }

  async function train(subscriber: Subscriber<Step>): Promise<void> {
    let weights = start?.weights ?? given ?? objective.initialWeights(seed);
    let velocity = hasMomentum ? (start?.velocity ?? new Float32Array(m)) : null;
    const batchOf = batchesOf({ n, batchSize, replacement, shuffle, seed });
    const firstWeights = weights;

    for (let t = first; ; t++) {
      const done = before + (t - first) * perStep;
      const batch = isFullBatch ? null : batchOf(t);
      const evaluation = await stepGradient(objective, { index: t, weights, velocity, beta2, batch });
      if (subscriber.closed) return;
      const fault = findFault(evaluation, weights);
      if (fault) throw await explain(fault, t, firstWeights, batch);
      known?.requireLoss(t, evaluation.loss);

      const learningRate = rates.at(t);
      const data = {
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
        epoch: done / pass,
      };
      const { step, settled } = openStep(data, run);
      subscriber.next(step);
      await settled();
      await setImmediate();
      if (subscriber.closed || t === steps || (await isReached(objective.at(weights), done))) return;

      const own = update(step, weightDecay);
      ({ weights, velocity } = known?.at(t + 1, own) ?? own);
    }
  }

  return new Observable<Step>((subscriber) => {
    train(subscriber).then(
      () => subscriber.complete(),
      (error) => subscriber.error(error),
    );
  });
}

/**
 * A whole number, up to rounding, as it is of a run that goes on; of one that is left with batches of another size no.
 */
function examplesBefore(done: number): number {
  const whole = Math.round(done);
  return Math.abs(done - whole) < 1e-6 ? whole : done;
}

/** θ_{t+1} and δ_t, each rounded to float32 once. */
function update({ weights, gradient, velocity, learningRate, beta1 }: Step, weightDecay: number) {
  const next = new Float32Array(weights.length);
  const delta = velocity && new Float32Array(weights.length);
  for (let k = 0; k < weights.length; k++) {
    const change = (velocity ? beta1 * velocity[k]! : 0) - learningRate * gradient[k]!;
    next[k] = weights[k]! + change - (weightDecay > 0 ? learningRate * weightDecay * weights[k]! : 0);
    if (delta) delta[k] = change;
  }
  return { weights: next, velocity: delta };
}

/** Names the first number that is not finite; null where all are. */
function findFault({ loss, gradient }: StepGradient, weights: Float32Array): string | null {
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
  // x − x is 0 of a finite x, and NaN of any other: several times faster than to ask each.
  let sum = 0;
  for (let k = 0; k < array.length; k++) sum += array[k]! - array[k]!;
  return sum === 0 ? -1 : array.findIndex((x) => !Number.isFinite(x));
}

/** T, from `steps` or `epochs`, where each step takes `perStep` of a pass. */
function updatesOf({ steps, epochs }: GradientDescentOptions, pass: number, perStep: number): number {
  if (steps !== undefined) return steps;
  const updates = ((epochs as number) * pass) / perStep;
  const whole = Math.round(updates);
  // Rounding makes no step more: 1.1 · 10 is above 11.
  return Math.abs(updates - whole) <= 4 * Number.EPSILON * updates ? whole : Math.ceil(updates);
}
