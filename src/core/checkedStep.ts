import { BrinkError, given, requireInteger, requireNumber } from './errors.ts';
import { float32, integers, type Numbers, requireFlag, requireOptions, requireShare, requireVector } from './given.ts';
import type { Objective } from './Objective.ts';
import type { StepData } from './StepData.ts';

/** A step's data as a source of one's own hands them in: vectors may be arrays, all but index and weights may lack. */
export type GivenStep = Partial<Omit<StepData, Vectors>> & {
  readonly index: number;
  readonly weights: Numbers;
  readonly gradient?: Numbers | undefined;
  readonly batch?: Numbers | null | undefined;
  readonly velocity?: Numbers | null | undefined;
};
type Vectors = 'index' | 'weights' | 'gradient' | 'batch' | 'velocity';

const WHO = 'openStep';
const NAMES = [
  ...['index', 'weights', 'gradient', 'batchLoss', 'batch', 'batchSize', 'replacement'],
  ...['learningRate', 'beta1', 'beta2', 'velocity', 'epoch'],
];

/**
 * The data of a step, whole: each number checked, each vector that is no typed array of its kind converted, and what is
 * not given unknown or that of plain full-batch descent.
 *
 * θ and δ must be finite. The gradient (as a Float32Array), the loss, the learning rate, the batch size, the momentum
 * and the epoch may be NaN, which is how a step says that they are unknown.
 *
 * @throws BrinkError with the name, the value and the step.
 */
export function checkedStep(data: GivenStep, objective: Objective | null): StepData {
  requireOptions(WHO, data, NAMES, '{ index: 0, weights }');
  const { index } = data;
  if (!Number.isSafeInteger(index) || index < 0) {
    throw new BrinkError(WHO, `${given('index', index)} Steps are counted from 0 in whole numbers.`);
  }
  const who = `${WHO} (step ${index})`;
  const weights = float32(who, 'weights', data.weights);
  const m = weights.length;
  if (objective && m !== objective.paramCount) {
    throw new BrinkError(who, `weights has ${m} entries. The objective has ${objective.paramCount} parameters.`);
  }
  const gradient = gradientOf(who, data.gradient, m);
  requireVector(who, 'gradient', gradient, m);
  const velocity = data.velocity == null ? null : float32(who, 'velocity', data.velocity);
  if (velocity) requireVector(who, 'velocity', velocity, m);
  const batch =
    data.batch == null ? null : examples(who, data.batch, objective?.exampleCount ?? Number.POSITIVE_INFINITY);
  const { batchSize = batch?.length ?? objective?.exampleCount ?? 1, replacement = false } = data;
  const { batchLoss = Number.NaN, learningRate = Number.NaN, beta1 = 0, beta2 = 0, epoch = index } = data;
  if (!Number.isNaN(batchSize)) requireInteger(who, 'batchSize', batchSize, 1);
  requireFlag(who, 'replacement', replacement);
  requireNumberType(who, 'batchLoss', batchLoss);
  if (!Number.isNaN(learningRate)) requireNumber(who, 'learningRate', learningRate, 0, true);
  if (!Number.isNaN(beta1)) requireShare(who, 'beta1', beta1);
  if (!Number.isNaN(beta2)) requireShare(who, 'beta2', beta2);
  if (!Number.isNaN(epoch)) requireNumber(who, 'epoch', epoch, 0, true);
  return {
    index,
    weights,
    gradient,
    batchLoss,
    batch,
    batchSize,
    replacement,
    learningRate,
    beta1,
    beta2,
    velocity,
    epoch,
  };
}

/** A Float32Array as it is, also where it says that it is unknown. */
function gradientOf(who: string, value: unknown, m: number): Float32Array {
  if (value === undefined) return new Float32Array(m).fill(Number.NaN);
  return value instanceof Float32Array ? value : float32(who, 'gradient', value);
}

function requireNumberType(who: string, name: string, value: unknown): void {
  if (typeof value !== 'number')
    throw new BrinkError(who, `${given(name, value)} It must be a number, NaN if unknown.`);
}

/** The examples of a batch, counted from 0. */
function examples(who: string, batch: unknown, count: number): Int32Array {
  const list = integers(who, 'batch', batch, 0);
  if (list.length === 0) throw new BrinkError(who, 'the batch is empty. A mean needs at least one example.');
  const beyond = list.find((i) => i >= count);
  if (beyond !== undefined) {
    throw new BrinkError(who, `the batch names example ${beyond}. There are ${count}, counted from 0.`);
  }
  return batch instanceof Int32Array ? batch : Int32Array.from(list);
}
