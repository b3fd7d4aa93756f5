import type { Tensor } from '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import type { Dataset, Examples } from '../../core/Dataset.ts';
import { BrinkError } from '../../core/errors.ts';
import { sizeOf } from '../../core/Parameters.ts';
import type { Loss } from '../Loss.ts';
import { leakFree } from '../leakFree.ts';
import type { Model } from '../Model.ts';

/** How often the same batch is computed: a coin that is tossed in `forward` falls alike every time once in 2⁸. */
const REPEATS = 8;
/** What two passes over the same numbers may differ by, relative to the largest: sums in another order. */
const REPEATED = 1e-5;
/** The same of one example in two batches: other kernels may compute it. */
const IN_ANOTHER_BATCH = 1e-3;
/** How far θ_0 is moved, relative to each parameter's own size: weights that begin at 0 hide what lies behind them. */
const SHIFT = 0.2;
/** How many examples are looked at for targets that differ. */
const SEARCHED = 10_000;

/** What a pass over two small batches found. */
export interface Trial {
  /** Whether one example's loss depends on the others in its batch. */
  readonly coupled: boolean;
}

/**
 * Runs a model and a loss on three examples, again and again, and on two of them in another order: whether they are
 * functions of their arguments at all, and whether one example's loss depends on the others.
 *
 * Cost: about twenty passes over one example.
 *
 * @param upload Puts a flat θ on the device, one tensor a parameter.
 * @throws BrinkError where the same call returns something else, where a model says `coupled: false` and is, or where
 *   outputs are shares and the loss takes logits.
 */
export async function tryBatches(
  who: string,
  model: Model,
  loss: Loss,
  { train }: Dataset,
  theta0: Float32Array,
  upload: (flat: Float32Array) => Tensor[],
): Promise<Trial> {
  const [a, b, c] = chosen(train, model.outputCount);
  const all = [a, b, c];
  const part = [c, a];
  /** Rows of the part among all. */
  const places = [2, 0];
  const theta = shifted(model, theta0);

  const read = async (tensors: Tensor[]) => {
    try {
      return (await Promise.all(tensors.map((tensor) => tensor.data()))) as Float32Array[];
    } finally {
      tf.dispose(tensors);
    }
  };
  const width = model.outputCount;
  const inputs = (rows: readonly number[]) =>
    tf.tensor(pick(train.inputs, train.count, rows), [rows.length, ...model.inputShape]);
  const targets = (rows: readonly number[]) => tf.tensor(pick(train.targets, train.count, rows), [rows.length, width]);

  const [whole, less, first, ...again] = await read(
    leakFree(() => {
      const weights = upload(theta);
      return [
        model.forward(weights, inputs(all)),
        model.forward(weights, inputs(part)),
        model.forward(upload(theta0), inputs(all)),
        ...Array.from({ length: REPEATS }, () => model.forward(weights, inputs(part))),
      ];
    }),
  );
  requirePure(who, `forward of the model ${model.name}`, less!, again);
  if (loss.outputsAreLogits && [whole!, first!].every((outputs) => areShares(outputs, width))) {
    throw new BrinkError(
      who,
      `the model ${model.name} returns shares that sum to 1, as behind a softmax, and the loss ${loss.name} takes ` +
        'logits: it would apply a second one. Leave the last softmax out.',
    );
  }

  const losses = (rows: readonly number[], outputs: Float32Array) =>
    loss.perExample(tf.tensor(outputs, [rows.length, width]), targets(rows));
  const ofPart = pick(whole!, all.length, places);
  const [lossesOfAll, lossesOfPart, ...lossesAgain] = await read(
    leakFree(() => [
      losses(all, whole!),
      losses(part, ofPart),
      ...Array.from({ length: REPEATS - 1 }, () => losses(all, whole!)),
    ]),
  );
  requirePure(who, `perExample of the loss ${loss.name}`, lossesOfAll!, lossesAgain);

  const isModel = difference(pick(whole!, all.length, places), less!) > IN_ANOTHER_BATCH;
  const isLoss = difference(pick(lossesOfAll!, all.length, places), lossesOfPart!) > IN_ANOTHER_BATCH;
  if (isModel && model.coupled === false) {
    throw new BrinkError(
      who,
      `the model ${model.name} says coupled: false, and its outputs for one example change with the others in the ` +
        'batch, as batch normalisation makes them. Leave coupled out: it is found; or keep the examples apart.',
    );
  }
  if (model.coupled && !isModel && !isLoss && train.count > 1) {
    process.emitWarning(
      `${who}: the model ${model.name} says coupled: true, and on three examples none of its outputs depends on the ` +
        'others. Nothing will be asked of single examples; leave coupled out where that is not meant.',
      'BrinkWarning',
    );
  }
  return { coupled: Boolean(model.coupled) || isModel || isLoss };
}

/** Three examples, of different targets as far as there are such among the first; with repetition if n < 3. */
function chosen({ targets, count }: Examples, width: number): [number, number, number] {
  const row = (i: number) => targets.subarray(i * width, (i + 1) * width);
  const isLike = (i: number, j: number) => row(i).every((y, k) => y === row(j)[k]);
  const found = [0];
  for (let i = 1; i < Math.min(count, SEARCHED) && found.length < 3; i++) {
    if (!found.some((j) => isLike(i, j))) found.push(i);
  }
  for (let i = 1; i < count && found.length < 3; i++) if (!found.includes(i)) found.push(i);
  return [0, found[1] ?? 0, found[2] ?? 0];
}

/** θ_0, moved a little in every entry, always in the same way. */
export function shifted(model: Model, theta0: Float32Array): Float32Array {
  const theta = theta0.slice();
  let offset = 0;
  for (const parameter of model.parameters) {
    const own = theta.subarray(offset, offset + sizeOf(parameter));
    const size = Math.sqrt(own.reduce((sum, w) => sum + w * w, 0) / own.length) || SHIFT;
    // Multiples of the golden ratio lie evenly.
    for (let k = 0; k < own.length; k++)
      own[k]! += 2 * SHIFT * size * (((offset + k + 1) * 0.618033988749895) % 1) - SHIFT * size;
    offset += own.length;
  }
  return theta;
}

function pick(array: Float32Array, count: number, rows: readonly number[]): Float32Array {
  const width = array.length / count;
  const out = new Float32Array(rows.length * width);
  for (const [k, i] of rows.entries()) out.set(array.subarray(i * width, (i + 1) * width), k * width);
  return out;
}

/** The largest |a − b|, relative to the largest entry; 0 where neither is finite. */
function difference(a: Float32Array, b: Float32Array): number {
  let [most, size] = [0, 0];
  for (let k = 0; k < a.length; k++) {
    if (Object.is(a[k], b[k])) continue;
    const apart = Math.abs(a[k]! - b[k]!);
    most = Math.max(most, Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart);
  }
  for (const x of a) if (Number.isFinite(x)) size = Math.max(size, Math.abs(x));
  return most === 0 ? 0 : most / size;
}

function requirePure(who: string, what: string, once: Float32Array, again: readonly Float32Array[]): void {
  const other = again.find((values) => difference(once, values) > REPEATED);
  if (!other) return;
  const k = once.findIndex((x, i) => difference(Float32Array.of(x), other.subarray(i, i + 1)) > REPEATED);
  throw new BrinkError(
    who,
    `${what} returned ${once[k]} and then ${other[k]} for the same arguments. It must be a function of them alone: ` +
      'no dropout, no random numbers, nothing kept from one call to the next.',
  );
}

/** Whether all rows are shares. */
function areShares(outputs: Float32Array, width: number): boolean {
  for (let from = 0; from < outputs.length; from += width) {
    const row = outputs.subarray(from, from + width);
    const sum = row.reduce((x, y) => x + y, 0);
    if (!(Math.abs(sum - 1) < 1e-4 && row.every((x) => x >= 0))) return false;
  }
  return true;
}
