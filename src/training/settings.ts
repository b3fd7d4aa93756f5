import { BrinkError, requireInteger, requireNumber } from '../core/errors.ts';
import { requireFlag, requireOptions, requireShare } from '../core/given.ts';
import { learningRates, type Schedule } from './schedule.ts';

export const WHO = 'gradientDescent';

/** How to train. */
export interface GradientDescentOptions {
  /** η > 0, or how it goes: `{ schedule: 'cosine', rate: 0.1, warmup: 20 }`, see `Schedule`. */
  readonly learningRate: number | Schedule;
  /** T, the number of updates: steps 0 … T are emitted, the last being the point arrived at. This or `epochs`. */
  readonly steps?: number;
  /**
   * Passes over the data, instead of `steps`: T = ⌈epochs · n/b⌉. With `shuffle: 'epoch'` a pass is ⌊n/b⌋ batches, also
   * in the column `epoch`, though n mod b examples are left out of each.
   */
  readonly epochs?: number;
  /**
   * Ends the run, after the step where it holds is emitted, once the loss over all n examples is at most `loss` or
   * the accuracy over them at least `accuracy`. Looked at on the first step of every epoch: each step of full-batch
   * GD, where it is free, and once an epoch of SGD, where it costs a forward pass (also each step where β₂ > 0).
   */
  readonly until?: { readonly loss?: number; readonly accuracy?: number };
  /** b, from 1 to n; default n: full-batch GD. */
  readonly batchSize?: number;
  /** Whether a batch may hold an example twice; default false. */
  readonly replacement?: boolean;
  /**
   * 'independent' (default): each batch is drawn anew. 'epoch': the batches of an epoch are the pieces of one random
   * order of the examples, see `batchesOf` for what that does to γ_{n,b}.
   */
  readonly shuffle?: 'independent' | 'epoch';
  /** Decoupled weight decay λ ≥ 0: η_t λ θ_t is taken off at each update, beside L; default 0. */
  readonly weightDecay?: number;
  /** β₁, from 0 to 1; default 0. */
  readonly beta1?: number;
  /** β₂, from 0 to 1; default 0, Polyak's momentum. Nesterov's is β₂ = β₁. */
  readonly beta2?: number;
  /** Of θ_0 and of the batches; default 0. */
  readonly seed?: number;
  /** θ_0, flat [m], rounded to float32; default `objective.initialWeights(seed)`. */
  readonly initialWeights?: ArrayLike<number>;
}

const NAMES = [
  'learningRate',
  'steps',
  'epochs',
  'until',
  'batchSize',
  'replacement',
  'shuffle',
  'weightDecay',
  'beta1',
  'beta2',
  'seed',
  'initialWeights',
];

/**
 * Checks how to train as far as no objective is needed for it.
 *
 * @throws BrinkError for an option out of its range, one that there is not, or two that contradict each other.
 */
export function requireSettings(options: GradientDescentOptions): void {
  requireOptions(WHO, options, NAMES, '{ learningRate: 0.1, steps: 100 }');
  const { steps, epochs, until, batchSize, replacement = false, shuffle = 'independent', weightDecay = 0 } = options;
  const { beta1 = 0, beta2 = 0, seed = 0 } = options;
  if (batchSize !== undefined) requireInteger(WHO, 'batchSize', batchSize, 1);
  if ((steps === undefined) === (epochs === undefined)) {
    throw new BrinkError(
      WHO,
      `steps is ${steps} and epochs is ${epochs}. One of them says how long to train, and only one.`,
    );
  }
  if (steps !== undefined) requireInteger(WHO, 'steps', steps, 0);
  if (epochs !== undefined) requireNumber(WHO, 'epochs', epochs, 0, true);
  learningRates(WHO, options.learningRate, steps ?? 0);
  requireFlag(WHO, 'replacement', replacement);
  if (until !== undefined) requireOptions(`${WHO} (until)`, until, ['loss', 'accuracy'], '{ loss: 0.1 }');
  if (replacement && batchSize === undefined) {
    throw new BrinkError(
      WHO,
      'replacement is true without a batchSize. Full-batch GD draws nothing; give a batchSize.',
    );
  }
  if (shuffle !== 'independent' && shuffle !== 'epoch') {
    throw new BrinkError(WHO, `shuffle is '${String(shuffle)}'. It must be 'independent' or 'epoch'.`);
  }
  if (shuffle === 'epoch' && replacement) {
    throw new BrinkError(
      WHO,
      "shuffle is 'epoch' and replacement is true. An order of the examples holds each once; choose one of the two.",
    );
  }
  requireNumber(WHO, 'weightDecay', weightDecay, 0, true);
  requireShare(WHO, 'beta1', beta1);
  requireShare(WHO, 'beta2', beta2);
  requireInteger(WHO, 'seed', seed, 0);
  if (until?.loss !== undefined) requireNumber(WHO, 'until.loss', until.loss, Number.NEGATIVE_INFINITY);
  if (until?.accuracy !== undefined) requireShare(WHO, 'until.accuracy', until.accuracy);
}
