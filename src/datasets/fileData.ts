import type { Dataset } from '../core/Dataset.ts';
import { BrinkError } from '../core/errors.ts';
import { type Numbers, requireOptions, requireText } from '../core/given.ts';
import type { FileArray } from '../files/npy.ts';
import {
  COMMON_OPTIONS,
  checkedNumbers,
  labelIn,
  type OwnExamples,
  type OwnExamplesOptions,
  ownExamples,
} from './ownFiles/ownExamples.ts';
import { type Arrays, readArrays } from './ownFiles/readArrays.ts';

/** Which arrays of the file are what, and which examples are taken. */
export interface FileDataOptions extends OwnExamplesOptions {
  /** Array of the inputs, [n, …]; default 'inputs', of an npy file itself. */
  readonly inputs?: string;
  /** Array of the labels, [n]: integers or names of classes. Default 'labels', where no `targets` are named. */
  readonly labels?: string;
  /** Array of the targets, [n] or [n, outputs], instead of labels. */
  readonly targets?: string;
  /** Array of the test inputs; default none. */
  readonly testInputs?: string;
  /** Array of their labels or targets. */
  readonly testOutputs?: string;
}

const WHO = 'fileData';
const NAMES = ['inputs', 'labels', 'targets', 'testInputs', 'testOutputs', ...COMMON_OPTIONS];

/**
 * A data set of the arrays in one's own file: npz and npy as numpy writes them, or safetensors.
 *
 * Floats of 16, 32 and 64 bits, integers, and text (labels only) are read, in either byte order, by rows or by columns.
 * Values are rounded to float32 and scaled as `normalize` says, by nothing else. With an npy file, other arrays are
 * named by their files in the same folder: `fileData('x.npy', { labels: 'y.npy' })`. The metadata carries the SHA-256
 * of every file and of inputs and targets as used. The file is read whole: memory is a few times its size.
 *
 * ```ts
 * import { fileData } from 'brink';
 *
 * const read = () => fileData('mnist.npz', { inputs: 'x_train', labels: 'y_train', normalize: 'all' });
 * ```
 *
 * @param path The file.
 * @param options `inputs`, `labels` or `targets`, `testInputs`, `testOutputs` (names of arrays), `classes`,
 *   `inputShape`, `train`, `test`, `subset`, `subsetSeed`, `normalize`, `sha256`, `labelNoise`, `labelSeed`.
 * @throws BrinkError where a file can't be read, is damaged or another than `sha256` says, an array is missing or has
 *   another length, or a value is no finite number (with its array and index).
 */
export async function fileData(path: string, options: FileDataOptions = {}): Promise<Dataset> {
  requireText(WHO, 'path', path);
  requireOptions(WHO, options, NAMES, "{ labels: 'labels' }");
  const { labels, targets, testInputs, testOutputs } = options;
  if (labels !== undefined && targets !== undefined) {
    throw new BrinkError(WHO, `labels is '${labels}' and targets '${targets}'. Name one of them.`);
  }
  if ((testInputs === undefined) !== (testOutputs === undefined)) {
    throw new BrinkError(WHO, 'testInputs and testOutputs belong together, and one is missing. Name both.');
  }
  const file = await readArrays(WHO, path, options.sha256);
  const isNpy = file.sources[0]!.file === file.names[0];
  if (isNpy && labels === undefined && targets === undefined) {
    throw new BrinkError(
      WHO,
      `${path} holds the inputs alone. Name the file of their labels or targets: { labels: 'y.npy' }.`,
    );
  }
  const { inputs = isNpy ? file.names[0]! : 'inputs' } = options;
  const outputs = targets ?? labels ?? 'labels';
  const kind = targets === undefined ? 'labels' : 'targets';
  const train = await examples(file, inputs, outputs, kind);
  const test = testInputs === undefined ? null : await examples(file, testInputs, testOutputs!, kind);
  if (test !== null && `${test.shape}` !== `${train.shape}`) {
    throw new BrinkError(
      WHO,
      `an input of '${testInputs}' has the shape [${test.shape}], of '${inputs}' [${train.shape}].`,
    );
  }
  return ownExamples(WHO, 'file', train, test, train.shape, options, file.sources);
}

/** Inputs with what belongs to each, and the shape of one. */
async function examples(
  file: Arrays,
  inputs: string,
  outputs: string,
  kind: 'labels' | 'targets',
): Promise<OwnExamples & { readonly shape: readonly number[] }> {
  const x = await file.array(inputs);
  const y = await file.array(outputs);
  const count = lengthOf(inputs, x);
  if (lengthOf(outputs, y) !== count) {
    throw new BrinkError(WHO, `'${outputs}' has ${y.shape[0]} entries and '${inputs}' ${count}. Each input needs one.`);
  }
  if (kind === 'labels' && y.shape.length > 1) {
    throw new BrinkError(
      WHO,
      `'${outputs}' has the shape [${y.shape}]. Labels are [n]; a table of numbers is named by targets.`,
    );
  }
  return {
    shape: x.shape.length === 1 ? [1] : x.shape.slice(1),
    count,
    inputs: numbersIn(inputs, x),
    labels:
      kind === 'targets'
        ? null
        : Array.from(y.values as ArrayLike<unknown>, (label, k) => labelIn(WHO, () => `'${outputs}' [${k}]`, label)),
    targets: kind === 'targets' ? numbersIn(outputs, y) : null,
  };
}

function lengthOf(name: string, { shape }: FileArray): number {
  if (shape.length > 0 && !shape.includes(0)) return shape[0]!;
  throw new BrinkError(WHO, `'${name}' has the shape [${shape}]. It needs a first axis of examples, and one at least.`);
}

function numbersIn(name: string, { shape, type, values }: FileArray): Float32Array {
  if (Array.isArray(values)) throw new BrinkError(WHO, `'${name}' holds text ('${type}'). It must hold numbers.`);
  return checkedNumbers(WHO, values as Numbers, (k) => `'${name}' [${placeOf(k, shape)}]`);
}

/** The index of entry k, axis by axis. */
function placeOf(k: number, shape: readonly number[]): string {
  const place: number[] = [];
  let rest = k;
  for (const extent of shape.toReversed()) {
    place.unshift(rest % extent);
    rest = Math.floor(rest / extent);
  }
  return place.join(', ');
}
