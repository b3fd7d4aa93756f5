import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import type { Dataset } from '../../core/Dataset.ts';
import { BrinkError } from '../../core/errors.ts';
import type { Loss } from '../Loss.ts';
import { leakFree } from '../leakFree.ts';
import type { Model } from '../Model.ts';

/** What rows of float32 shares may miss one by. */
const ROUNDING = 1e-4;
/** Losses below may have lost digits, as float32 has none smaller. */
const TINY = 1e-30;

/**
 * Runs a model and a loss on two examples with θ_0 of seed 0, and throws where what they return can't be right: a wrong
 * shape would be broadcast, and give a wrong number without an error.
 *
 * @param uploadTheta Puts θ_0 of seed 0 on the device, one tensor a parameter.
 * @throws BrinkError where the outputs are not [2, outputCount], the losses not [2], a number is not finite, or a loss
 *   has not the degree that it says.
 */
export async function tryTwoExamples(
  who: string,
  model: Model,
  loss: Loss,
  { train, test }: Dataset,
  uploadTheta: () => Tensor[],
): Promise<void> {
  if (loss.targetsAreShares) {
    requireShares(who, loss, 'example', train.targets, model.outputCount);
    if (test) requireShares(who, loss, 'test example', test.targets, model.outputCount);
  }
  /** The rows of the first two examples, of the only one twice where there is one. */
  const pair = (array: Float32Array) => {
    const width = array.length / train.count;
    const rows = new Float32Array(2 * width);
    rows.set(array.subarray(0, width), width);
    rows.set(array.subarray(0, Math.min(train.count, 2) * width));
    return rows;
  };
  const [forward, perExample] = [`forward of the model ${model.name}`, `perExample of the loss ${loss.name}`];
  const [outputs, losses, doubled] = withKernels(who, model, (): [Tensor, Tensor, Tensor] => {
    const inputs = tf.tensor(pair(train.inputs), [2, ...model.inputShape]);
    const theta = uploadTheta();
    const y = model.forward(theta, inputs);
    requireShape(who, forward, y, [2, model.outputCount], `[B, ${model.outputCount}]`);
    const targets = tf.tensor(pair(train.targets), [2, model.outputCount]);
    const l = loss.perExample(y, targets);
    requireShape(who, perExample, l, [2], '[B], one number an example');
    requireScalar(who, `penalty of the model ${model.name}`, model.penalty?.(theta));
    return [y, l, loss.degree === undefined ? l : loss.perExample(tf.mul(y, 2), tf.mul(targets, 2))];
  });
  try {
    requireFinite(who, forward, await outputs.data());
    requireFinite(who, perExample, await losses.data());
    requireDegree(who, loss, await losses.data(), await doubled.data());
  } finally {
    tf.dispose([outputs, losses, doubled]);
  }
}

/** Runs the trial; an operation that the engine lacks is told by its name. */
function withKernels<T extends Tensor[]>(who: string, model: Model, trial: () => T): T {
  try {
    return leakFree(trial);
  } catch (error) {
    const [, kernel] = /^Kernel '(\w+)' not registered/.exec((error as Error).message) ?? [];
    if (!kernel) throw error;
    throw new BrinkError(
      who,
      `the model ${model.name} or its loss uses the operation ${kernel}, which TensorFlow.js has not got on the ` +
        `engine ${tf.getBackend()}. Build it from other operations.`,
      { cause: error },
    );
  }
}

function requireShape(who: string, what: string, value: unknown, shape: readonly number[], wanted: string): void {
  if (value instanceof tf.Tensor && tf.util.arraysEqual(value.shape, [...shape])) return;
  const found = value instanceof tf.Tensor ? `a tensor of shape [${value.shape}]` : `${value}`;
  throw new BrinkError(who, `${what} returned ${found} for a batch of B = 2 examples. It must return ${wanted}.`);
}

function requireScalar(who: string, what: string, value: unknown): void {
  if (value == null || (value instanceof tf.Tensor && value.rank === 0)) return;
  const found = value instanceof tf.Tensor ? `a tensor of shape [${value.shape}]` : `${value}`;
  throw new BrinkError(who, `${what} returned ${found}. It must return a scalar, as tf.sum does, or null.`);
}

function requireFinite(who: string, what: string, values: ArrayLike<number>): void {
  const bad = Array.from(values).find((x) => !Number.isFinite(x));
  if (bad === undefined) return;
  throw new BrinkError(
    who,
    `${what} returned ${bad} for the first two examples at the initial weights of seed 0. Look for a logarithm or a ` +
      `root of a number that is not positive, a division by 0, or initial weights that are too large.`,
  );
}

function requireDegree(
  who: string,
  { name, degree }: Loss,
  losses: ArrayLike<number>,
  doubled: ArrayLike<number>,
): void {
  if (degree === undefined) return;
  const wrong = Array.from(losses).findIndex((l, k) => {
    const difference = Math.abs(doubled[k]! - 2 ** degree * l);
    return Math.abs(l) > TINY && Number.isFinite(doubled[k]!) && difference > ROUNDING * Math.abs(doubled[k]!);
  });
  if (wrong < 0) return;
  throw new BrinkError(
    who,
    `the loss ${name} says degree: ${degree}, and outputs and targets of twice the size change it from ` +
      `${losses[wrong]} to ${doubled[wrong]}. It must become 2^degree times as large; leave degree out.`,
  );
}

function requireShares(who: string, loss: Loss, what: string, targets: Float32Array, width: number): void {
  for (let row = 0; row * width < targets.length; row++) {
    const shares = targets.subarray(row * width, (row + 1) * width);
    const sum = shares.reduce((a, b) => a + b, 0);
    if (Math.abs(sum - 1) <= ROUNDING && shares.every((share) => share >= 0)) continue;
    const shown = Array.from(shares.subarray(0, 4), (x) => Number(x.toPrecision(4))).join(', ');
    throw new BrinkError(
      who,
      `the target of ${what} ${row} is [${shown}${width > 4 ? ', …' : ''}], and the loss ${loss.name} takes shares ` +
        `that are not negative and sum to 1. Give labels, or take meanSquaredError.`,
    );
  }
}
