import type { Dataset } from '../../core/Dataset.ts';
import { BrinkError, requireInteger } from '../../core/errors.ts';
import { integers, type Numbers, requireChoice, requireList, requireText } from '../../core/given.ts';
import type { JsonObject } from '../../core/Json.ts';
import { shown } from '../../core/shown.ts';
import { arrays } from '../arrays.ts';
import { chooseExamples, type Subset } from '../chooseExamples.ts';
import { LABEL_NOISE, type LabelNoiseOptions, noiseOf, requireLabelNoise } from '../noisyLabels.ts';
import type { Source } from './openSource.ts';

/** What `fileData` and `tableData` have in common. */
export interface OwnExamplesOptions extends LabelNoiseOptions {
  /**
   * Names of the classes in their order; default: the labels that there are, integers by their size, text by its
   * characters. It is needed where a class has no example.
   */
  readonly classes?: readonly string[];
  /** Shape of one input, of as many entries: [28, 28, 1]; default: as the file has it. */
  readonly inputShape?: readonly number[];
  /** Training examples; default: all that are no test examples. */
  readonly train?: number;
  /** Test examples: of those that the file names so, default all; else of those that are left, default 0. */
  readonly test?: number;
  /** Default 'first'; 'balanced' needs classes. */
  readonly subset?: Subset;
  /** Of a random order in which the examples are taken; default null: as the file has them. */
  readonly subsetSeed?: number | null;
  /**
   * x → (x − mean)/std with mean and standard deviation over the training examples: of each entry ('each') or of all
   * entries together ('all'); default 'none'.
   */
  readonly normalize?: 'none' | 'all' | 'each';
  /** SHA-256 of the files, in hexadecimal: a file that has none of them is refused. Default: any will do. */
  readonly sha256?: readonly string[];
}

export const COMMON_OPTIONS = [
  'classes',
  'inputShape',
  'train',
  'test',
  'subset',
  'subsetSeed',
  'normalize',
  'sha256',
  ...LABEL_NOISE,
];

/** Examples as a file has them: [count × size], checked, and for each its label or its target. */
export interface OwnExamples {
  readonly count: number;
  readonly inputs: Float32Array;
  readonly labels: readonly string[] | null;
  readonly targets: Float32Array | null;
}

/** Puts a data set together of what was read: chooses, scales, numbers the classes. */
export function ownExamples(
  who: string,
  name: string,
  train: OwnExamples,
  test: OwnExamples | null,
  shape: readonly number[],
  options: OwnExamplesOptions,
  sources: readonly Source[],
): Dataset {
  const { subset = 'first', subsetSeed = null, normalize = 'none' } = options;
  requireLabelNoise(who, options);
  const { classes: givenClasses, sha256: _, ...chosenBy } = options;
  requireChoice(who, 'subset', subset, ['first', 'balanced']);
  requireChoice(who, 'normalize', normalize, ['none', 'all', 'each']);
  const size = shape.reduce((a, b) => a * b, 1);
  const inputShape = options.inputShape === undefined ? shape : integers(who, 'inputShape', options.inputShape, 1);
  if (inputShape.reduce((a, b) => a * b, 1) !== size) {
    throw new BrinkError(who, `inputShape is [${inputShape}]. An input has ${size} entries, of shape [${shape}].`);
  }
  const classes = classNames(who, givenClasses, train, test);
  if (subset === 'balanced' && classes === null) {
    throw new BrinkError(who, "subset is 'balanced', and there are no classes. Leave it out.");
  }

  const { test: tested = test?.count ?? 0 } = options;
  requireInteger(who, 'test', tested, 0);
  const { train: trained = train.count - (test === null ? tested : 0) } = options;
  requireInteger(who, 'train', trained, 1);
  const numbered = new Map(classes?.map((label, k) => [label, k]));
  const keys = ({ labels, count }: OwnExamples) =>
    labels?.map((label) => numbered.get(label)!) ?? new Uint8Array(count);
  const trainKeys = keys(train);
  const chosen = chooseExamples(`${who} (train)`, trainKeys, trained, subset, subsetSeed);
  const taken = new Set(chosen);
  const left = test === null ? [...trainKeys.keys()].filter((i) => !taken.has(i)) : [...new Array(test.count).keys()];
  const held = test ?? train;
  const heldKeys = test === null ? trainKeys : keys(test);
  const kept = chooseExamples(
    `${who} (test)`,
    left.map((i) => heldKeys[i]!),
    tested,
    subset,
    subsetSeed,
  ).map((k) => left[k]!);

  const trainInputs = pick(train.inputs, chosen, size);
  const testInputs = pick(held.inputs, kept, size);
  if (normalize !== 'none') {
    const period = normalize === 'each' ? size : 1;
    const scale = scaleOf(who, trainInputs, period);
    for (const inputs of [trainInputs, testInputs]) rescale(inputs, period, scale);
  }
  const outputs = ({ targets, count }: OwnExamples, keys: ArrayLike<number>, rows: Int32Array) =>
    targets === null
      ? { labels: Array.from(rows, (i) => keys[i]!) }
      : { targets: pick(targets, rows, targets.length / count) };
  return arrays({
    name,
    inputShape,
    inputs: trainInputs,
    ...outputs(train, trainKeys, chosen),
    ...(classes !== null && { classes }),
    ...(tested > 0 && { test: { inputs: testInputs, ...outputs(held, heldKeys, kept) } }),
    ...noiseOf(options),
    metadata: {
      subset,
      ...(subsetSeed !== null && { subsetSeed }),
      normalize,
      classes: classes as string[] | null,
      sources: sources.map(({ file, sha256 }) => ({ file, sha256 })),
      options: { ...chosenBy } as JsonObject,
    },
  });
}

/** What programs write where a number is missing, or too large. */
const NOT_FINITE = /^[+-]?(nan|inf|infinity)$/i;

/** The label in a cell, as the name of a class. @throws BrinkError where it can't be one. */
export function labelIn(who: string, at: () => string, cell: unknown): string {
  if (typeof cell === 'number' ? Number.isInteger(cell) : ['bigint', 'boolean'].includes(typeof cell))
    return String(cell);
  // As text too 1.0 is the integer 1, and 1.5 and NaN are none.
  if (typeof cell === 'string' && cell !== '') {
    const text = cell.replace(/^([+-]?\d+)\.0*$/, '$1');
    const isBetween = Number.isFinite(Number(text)) && !Number.isInteger(Number(text));
    if (!isBetween && !NOT_FINITE.test(text)) return text;
  }
  throw new BrinkError(
    who,
    `${at()} is ${shown(cell)}. A label is an integer or a name; leave its example out, or predict numbers by targets.`,
  );
}

/** A number in a cell, in float32. @throws BrinkError where it is none, or not finite there. */
export function inputIn(who: string, at: () => string, cell: unknown, number: number): number {
  const rounded = Math.fround(number);
  if (Number.isFinite(rounded)) return rounded;
  throw new BrinkError(
    who,
    `${at()} is ${shown(cell)}. It must be a number, finite in float32; replace it, or leave its row or column out.`,
  );
}

const INTEGER = /^[+-]?\d+$/;

function classNames(
  who: string,
  given: unknown,
  { labels }: OwnExamples,
  test: OwnExamples | null,
): readonly string[] | null {
  if (labels === null) {
    if (given === undefined) return null;
    throw new BrinkError(who, 'classes are given, and targets too. Classes belong to labels.');
  }
  const found = new Set([...labels, ...(test?.labels ?? [])]);
  if (given === undefined) {
    const all = [...found];
    const byText = (a: string, b: string) => (a < b ? -1 : 1);
    return all.every((label) => INTEGER.test(label))
      ? all.sort((a, b) => Number(a) - Number(b) || byText(a, b))
      : all.sort(byText);
  }
  requireList(who, 'classes', given);
  const names = Array.from(given, (text, k) => {
    requireText(who, `classes[${k}]`, text);
    return text;
  });
  const twice = names.find((name, k) => names.indexOf(name) < k);
  if (twice !== undefined) throw new BrinkError(who, `classes has '${twice}' twice. Each has a name of its own.`);
  const other = [...found].find((label) => !names.includes(label));
  if (other === undefined) return names;
  throw new BrinkError(
    who,
    `there is a label '${other}', which is none of the classes ${names.join(', ')}. Name it too.`,
  );
}

function pick(values: Float32Array, rows: Int32Array, width: number): Float32Array {
  const out = new Float32Array(rows.length * width);
  rows.forEach((row, i) => {
    out.set(values.subarray(row * width, (row + 1) * width), i * width);
  });
  return out;
}

interface Scale {
  readonly mean: Float64Array;
  readonly std: Float64Array;
}

/** Mean and standard deviation of the entries k, k + period, … */
function scaleOf(who: string, values: Float32Array, period: number): Scale {
  const [mean, std] = [new Float64Array(period), new Float64Array(period)];
  const count = values.length / period;
  // Rounding keeps the mean of equal numbers from being that number.
  const varies = new Uint8Array(period);
  values.forEach((value, k) => {
    mean[k % period]! += value / count;
    if (value !== values[k % period]) varies[k % period] = 1;
  });
  values.forEach((value, k) => {
    std[k % period]! += (value - mean[k % period]!) ** 2 / count;
  });
  const none = varies.indexOf(0);
  if (none >= 0) {
    const what = period === 1 ? 'all entries are' : `entry ${none} of the inputs is`;
    const advice = period === 1 ? "normalize: 'none'" : "leave it out, or normalize: 'all'";
    throw new BrinkError(
      who,
      `${what} ${values[none]} in every training example, so there is no scale. Choose ${advice}.`,
    );
  }
  return { mean, std: std.map(Math.sqrt) };
}

function rescale(values: Float32Array, period: number, { mean, std }: Scale): void {
  values.forEach((value, k) => {
    values[k] = (value - mean[k % period]!) / std[k % period]!;
  });
}

/** The values as float32, each checked where it stands. */
export function checkedNumbers(who: string, values: Numbers, at: (k: number) => string): Float32Array {
  return Float32Array.from({ length: values.length }, (_, k) =>
    inputIn(who, () => at(k), values[k], Number(values[k])),
  );
}
