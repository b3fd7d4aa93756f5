import type { Dataset, Examples } from '../core/Dataset.ts';
import { BrinkError, given, requireInteger } from '../core/errors.ts';
import { float32, integers, type Numbers, numberOf, requireList, requireOptions, requireText } from '../core/given.ts';
import type { JsonObject } from '../core/Json.ts';
import { shown } from '../core/shown.ts';
import { LABEL_NOISE, type LabelNoiseOptions, noisyLabels, requireLabelNoise } from './noisyLabels.ts';
import { sha256 } from './sha256.ts';

/** Inputs with either the class of each example or its target. */
export interface ExampleArrays {
  /**
   * x_i, one after the other, [n × entries of inputShape], each row-major. They are copied, so that the array may be
   * filled with something else.
   */
  readonly inputs: Numbers;
  /** The class of each example, 0 … C − 1, [n]; integers of 64 bits (numpy's default) do too. */
  readonly labels?: Numbers;
  /** y_i, one after the other, [n × outputs]; copied too. */
  readonly targets?: Numbers;
}

/** Examples as plain arrays. */
export interface ArraysOptions extends ExampleArrays, LabelNoiseOptions {
  /** Shape of one input: [64], or [32, 32, 3] (height, width, channels). */
  readonly inputShape: readonly number[];
  /** With labels: the classes' names, or how many there are (then their names are their numbers). */
  readonly classes?: readonly string[] | number;
  /** What to test on, in the same form; default none. */
  readonly test?: ExampleArrays;
  /** What the run's metadata calls it; default 'arrays'. */
  readonly name?: string;
  /** What else the run's metadata should tell of the data: where it comes from, how it was normalised. */
  readonly metadata?: JsonObject;
}

/**
 * A data set of plain arrays: n inputs, and for each its class (targets are then one-hot, y_ic = 1 where c is the
 * class) or its target.
 *
 * Values are rounded to float32 and checked, never changed: centring and scaling are the caller's, and so is what a
 * missing value stands for: null, '' and false are refused, not taken for 0. The metadata carries a SHA-256 of inputs
 * and targets as used.
 *
 * @param options `inputs`, `inputShape`, `labels` with `classes`, or `targets`; `test`, `name`, `metadata`,
 *   `labelNoise`, `labelSeed`.
 * @throws BrinkError, with index and value, where there are no examples, a length doesn't fit, a value is not finite
 *   in float32, a label is not one of the classes, or there are both labels and targets, or neither.
 */
export function arrays(options: ArraysOptions): Dataset {
  requireOptions('arrays', options, NAMES, '{ inputs, inputShape: [64], labels, classes: 10 }');
  const { classes, test, name = 'arrays', metadata = {}, labelNoise = 0, labelSeed = 0, ...train } = options;
  requireText('arrays', 'name', name);
  requireLabelNoise(name, { labelNoise, labelSeed });
  if (labelNoise > 0 && train.labels === undefined) {
    throw new BrinkError(name, `labelNoise is ${labelNoise}, and there are no labels. Leave it out.`);
  }
  const inputShape = integers(name, 'inputShape', options.inputShape, 1);
  if (test !== undefined) requireOptions(`${name} (test)`, test, EXAMPLE_NAMES, '{ inputs, labels }');
  if ((classes === undefined) !== (train.labels === undefined)) {
    throw new BrinkError(
      name,
      'classes and labels belong together, and one is missing. Without classes, give targets.',
    );
  }
  if (typeof classes === 'number') requireInteger(name, 'classes', classes, 1);
  else if (classes !== undefined) requireClassNames(name, classes);
  const names = typeof classes === 'number' ? Array.from({ length: classes }, (_, c) => `${c}`) : (classes ?? null);

  const inputSize = inputShape.reduce((a, b) => a * b, 1);
  const clean = examplesOf(name, 'train', train, inputSize, names?.length ?? null);
  const trainExamples = labelNoise > 0 ? withNoise(clean, names!.length, { labelNoise, labelSeed }) : clean;
  const outputCount = trainExamples.targets.length / trainExamples.count;
  const testExamples = test === undefined ? null : examplesOf(name, 'test', test, inputSize, names?.length ?? null);
  if (testExamples !== null && testExamples.targets.length !== testExamples.count * outputCount) {
    throw new BrinkError(
      name,
      `test examples have ${testExamples.targets.length / testExamples.count} targets each, train examples ${outputCount}. They must agree.`,
    );
  }
  return {
    name,
    inputShape,
    outputCount,
    classes: names,
    train: trainExamples,
    test: testExamples,
    metadata: {
      name,
      inputShape: [...inputShape],
      outputCount,
      ...metadata,
      ...(labelNoise > 0 && { labelNoise: { share: labelNoise, seed: labelSeed, ...changed(clean, trainExamples) } }),
      train: identity(trainExamples),
      test: testExamples === null ? null : identity(testExamples),
    },
  };
}

const EXAMPLE_NAMES = ['inputs', 'labels', 'targets'];
const NAMES = [...EXAMPLE_NAMES, ...LABEL_NOISE, 'inputShape', 'classes', 'test', 'name', 'metadata'];

function requireClassNames(who: string, classes: unknown): void {
  if (!Array.isArray(classes)) {
    throw new BrinkError(who, `${given('classes', classes)} It must be their number, or an array of their names.`);
  }
  if (classes.length === 0) throw new BrinkError(who, 'classes is []. There must be one at least.');
  for (const [k, text] of classes.entries()) {
    requireText(who, `classes[${k}]`, text);
    const before = classes.indexOf(text);
    if (before < k) {
      throw new BrinkError(
        who,
        `classes[${k}] is '${text}', as classes[${before}] is. Give each class a name of its own.`,
      );
    }
  }
}

function withNoise(clean: Examples, classCount: number, options: LabelNoiseOptions): Examples {
  const labels = noisyLabels(Int32Array.from(clean.labels!), classCount, options);
  const targets = new Float32Array(clean.targets.length);
  labels.forEach((label, i) => {
    targets[i * classCount + label] = 1;
  });
  return { ...clean, labels, targets };
}

/** How many labels are wrong. */
const changed = (clean: Examples, noisy: Examples) => ({
  wrong: Array.from(noisy.labels!).filter((label, i) => label !== clean.labels![i]).length,
});

/** What the examples are known by. */
function identity({ count, inputs, targets }: Examples): JsonObject {
  return { count, inputsSha256: sha256(inputs), targetsSha256: sha256(targets) };
}

function examplesOf(
  who: string,
  split: string,
  { inputs, labels, targets }: ExampleArrays,
  inputSize: number,
  classCount: number | null,
): Examples {
  const x = finite(who, `${split} inputs`, inputs, inputSize);
  const count = x.length / inputSize;
  if (count === 0) throw new BrinkError(who, `there are no ${split} examples. It needs one at least.`);
  if (!Number.isInteger(count)) {
    throw new BrinkError(
      who,
      `${split} inputs have ${inputs.length} entries, and one example has ${inputSize}. Their number must be a multiple of that.`,
    );
  }
  if (classCount === null) {
    if (targets === undefined) {
      throw new BrinkError(who, `${split} examples have no targets. Give targets, or labels together with classes.`);
    }
    requireList(who, `${split} targets`, targets);
    const width = targets.length / count;
    if (width === 0 || !Number.isInteger(width)) {
      throw new BrinkError(
        who,
        `${split} targets have ${targets.length} entries for ${count} examples. Each needs equally many, and one at least.`,
      );
    }
    return { inputs: x, targets: finite(who, `${split} targets`, targets, width), labels: null, count };
  }
  if (targets !== undefined) {
    throw new BrinkError(
      who,
      `${split} examples have labels and targets. Give one of them: targets of classes are one-hot.`,
    );
  }
  if (labels !== undefined) requireList(who, `${split} labels`, labels);
  if (labels?.length !== count) {
    throw new BrinkError(
      who,
      `${split} examples have ${labels?.length ?? 'no'} labels and ${count} inputs. Each input needs one.`,
    );
  }
  const classOf = new Int32Array(count);
  const oneHot = new Float32Array(count * classCount);
  const at = (i: number) => `the label of ${split} example ${i}`;
  for (let i = 0; i < count; i++) {
    const label = numberOf(who, at, labels[i], i);
    if (!Number.isInteger(label) || label < 0 || label >= classCount) {
      throw new BrinkError(
        who,
        `${at(i)} is ${shown(label)}. There are ${classCount} classes, so it must be an integer from 0 to ` +
          `${classCount - 1}.`,
      );
    }
    classOf[i] = label;
    oneHot[i * classCount + label] = 1;
  }
  return { inputs: x, targets: oneHot, labels: classOf, count };
}

/** A copy of the values in float32; throws at the first that is not finite there. */
function finite(who: string, what: string, values: Numbers, width: number): Float32Array {
  const at = (k: number) => `${what}: entry ${k % width} of example ${Math.floor(k / width)}`;
  const numbers = float32(who, what, values, at);
  return numbers === values ? numbers.slice() : numbers;
}
