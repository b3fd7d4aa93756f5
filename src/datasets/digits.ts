import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import type { Dataset } from '../core/Dataset.ts';
import { requireInteger } from '../core/errors.ts';
import { requireFlag, requireOptions } from '../core/given.ts';
import { arrays } from './arrays.ts';
import { chooseExamples, type Subset } from './chooseExamples.ts';
import { LABEL_NOISE, type LabelNoiseOptions, noiseOf } from './noisyLabels.ts';
import { sha256 } from './sha256.ts';

const FILE = new URL('../../fixtures/digits.csv.gz', import.meta.url);
const PIXELS = 64;

/** Which digits, and how their pixels are shifted. */
export interface DigitsOptions extends LabelNoiseOptions {
  /** Training examples; default all 1797. */
  readonly train?: number;
  /** Test examples, chosen in the same way from those that are left; default 0: none. */
  readonly test?: number;
  /** Default 'first'. */
  readonly subset?: Subset;
  /** Of a random order in which the examples are taken; default null: as the file has them. */
  readonly subsetSeed?: number | null;
  /** Whether the mean over all pixels of all training examples is subtracted; default true. */
  readonly center?: boolean;
}

/**
 * Handwritten digits, 8 × 8 grey pixels from 0 to 16 (1797 of them come with brink): x = pixel/16 − μ, μ the mean
 * over the training inputs, [64].
 *
 * Small enough that an exact Hessian product takes milliseconds; far too easy to stand for image classification.
 *
 * @param options `train`, `test` (examples), `subset` ('first' or 'balanced', see `chooseExamples`), `subsetSeed`,
 *   `center`, `labelNoise`, `labelSeed`.
 * @throws BrinkError where more examples are asked for than there are.
 * Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998, CC
 * BY 4.0.
 */
export async function digits(options: DigitsOptions = {}): Promise<Dataset> {
  requireOptions(
    'digits',
    options,
    ['train', 'test', 'subset', 'subsetSeed', 'center', ...LABEL_NOISE],
    '{ train: 1000 }',
  );
  const { train = 1797, test = 0, subset = 'first', subsetSeed = null, center = true } = options;
  requireInteger('digits', 'train', train, 1);
  requireInteger('digits', 'test', test, 0);
  requireFlag('digits', 'center', center);
  const file = await readFile(FILE);
  const lines = gunzipSync(file).toString().trimEnd().split('\n');
  const rows = lines.map((line) => line.split(',').map(Number));
  const labels = rows.map((row) => row[PIXELS]!);

  const trained = chooseExamples('digits (train)', labels, train, subset, subsetSeed);
  const taken = new Set(trained);
  const left = [...labels.keys()].filter((i) => !taken.has(i));
  const leftLabels = left.map((i) => labels[i]!);
  const tested = chooseExamples('digits (test)', leftLabels, test, subset, subsetSeed).map((k) => left[k]!);

  let sum = 0;
  for (const i of trained) for (let k = 0; k < PIXELS; k++) sum += rows[i]![k]!;
  const mean = center ? sum / (16 * PIXELS * trained.length) : 0;
  const pick = (chosen: Int32Array) => ({
    inputs: Float32Array.from(
      Array.from(chosen, (i) => rows[i]!.slice(0, PIXELS)).flat(),
      (pixel) => pixel / 16 - mean,
    ),
    labels: Array.from(chosen, (i) => labels[i]!),
  });
  return arrays({
    name: 'digits',
    inputShape: [PIXELS],
    classes: 10,
    ...pick(trained),
    ...(test > 0 && { test: pick(tested) }),
    ...noiseOf(options),
    metadata: {
      subset,
      ...(subsetSeed !== null && { subsetSeed }),
      divisor: 16,
      mean,
      source: { file: 'digits.csv.gz', sha256: sha256(file) },
    },
  });
}
