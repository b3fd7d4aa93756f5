import type { Dataset } from '../core/Dataset.ts';
import { BrinkError, given, requireInteger } from '../core/errors.ts';
import { numbers, requireOptions } from '../core/given.ts';
import type { JsonObject } from '../core/Json.ts';
import { arrays } from './arrays.ts';
import { chooseExamples, type Subset } from './chooseExamples.ts';
import { LABEL_NOISE, type LabelNoiseOptions, noiseOf, requireLabelNoise } from './noisyLabels.ts';

const CHANNELS = 3;

/** Mean and standard deviation of each colour, pixels from 0 to 1. */
export interface ChannelScale {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Which images, and how their pixels are scaled. */
export interface ImageDataOptions extends LabelNoiseOptions {
  /** Training examples; default all. */
  readonly train?: number;
  /** Test examples; default 0: none. */
  readonly test?: number;
  /** Of the training files, and of the test files; default 'first'. */
  readonly subset?: Subset;
  /** Of a random order in which images are taken; default null: as the files have them. */
  readonly subsetSeed?: number | null;
  /**
   * What is subtracted from pixel/255 in each channel and what that is divided by: 'channel' (default), mean and
   * standard deviation over the chosen training examples; 'none', 0 and 1; or numbers of your own.
   */
  readonly normalize?: 'channel' | 'none' | ChannelScale;
}

/** Where one example lies. */
export interface ImageRecord {
  readonly bytes: Uint8Array;
  /** Of its first pixel. */
  readonly offset: number;
  readonly label: number;
}

/** Some files' records. */
export interface Records {
  readonly records: readonly ImageRecord[];
  readonly sources: JsonObject[];
}

/** How the images of a data set lie in its files: a red plane of bytes, a green and a blue one. */
export interface ImageLayout {
  readonly name: string;
  /** Pixels of a column, and of a row. */
  readonly height: number;
  readonly width: number;
  /** Whether a plane is written column by column. */
  readonly isColumnMajor: boolean;
  readonly classes: readonly string[];
}

/** Checks what can be checked before files are read; says how many test examples are asked for. */
export function requireImageOptions(who: string, options: ImageDataOptions): number {
  requireOptions(
    who,
    options,
    ['train', 'test', 'subset', 'subsetSeed', 'normalize', ...LABEL_NOISE],
    '{ train: 1000 }',
  );
  requireLabelNoise(who, options);
  const { test = 0 } = options;
  requireInteger(who, 'test', test, 0);
  return test;
}

/** Chooses images and scales them: x = (pixel/255 − mean)/std, [height, width, 3]. */
export function imageData(
  layout: ImageLayout,
  forTraining: Records,
  forTest: Records,
  options: ImageDataOptions,
): Dataset {
  const { name, height, width, classes } = layout;
  const {
    train = forTraining.records.length,
    test = 0,
    subset = 'first',
    subsetSeed = null,
    normalize = 'channel',
  } = options;
  requireInteger(name, 'train', train, 1);
  const choose = (split: string, { records }: Records, count: number) => {
    const labels = records.map(({ label }) => label);
    return Array.from(chooseExamples(`${name} (${split})`, labels, count, subset, subsetSeed), (i) => records[i]!);
  };
  const trained = choose('train', forTraining, train);
  const tested = choose('test', forTest, test);

  const scale = channelScale(name, normalize, trained, height * width);
  const examples = (chosen: readonly ImageRecord[]) => ({
    inputs: images(layout, chosen, scale),
    labels: chosen.map(({ label }) => label),
  });
  return arrays({
    name,
    inputShape: [height, width, CHANNELS],
    classes,
    ...examples(trained),
    ...(test > 0 && { test: examples(tested) }),
    ...noiseOf(options),
    metadata: {
      subset,
      ...(subsetSeed !== null && { subsetSeed }),
      divisor: 255,
      mean: [...scale.mean],
      std: [...scale.std],
      sources: [...forTraining.sources, ...forTest.sources],
    },
  });
}

function channelScale(
  who: string,
  normalize: NonNullable<ImageDataOptions['normalize']>,
  records: readonly ImageRecord[],
  plane: number,
): ChannelScale {
  if (normalize === 'none') return { mean: [0, 0, 0], std: [1, 1, 1] };
  if (typeof normalize !== 'object' || normalize === null) {
    if (normalize !== 'channel') {
      const advice = "It must be 'channel', 'none' or { mean, std } with a number for each colour.";
      throw new BrinkError(who, `${given('normalize', normalize)} ${advice}`);
    }
  } else requireOptions(`${who} (normalize)`, normalize, ['mean', 'std'], '{ mean: [0, 0, 0], std: [1, 1, 1] }');
  const scale =
    normalize === 'channel'
      ? measuredScale(records, plane)
      : {
          mean: numbers(who, 'normalize.mean', normalize.mean, CHANNELS),
          std: numbers(who, 'normalize.std', normalize.std, CHANNELS),
        };
  for (let c = 0; c < CHANNELS; c++) {
    const [mean, std] = [scale.mean?.[c], scale.std?.[c]];
    if (!Number.isFinite(mean) || !Number.isFinite(std) || std! <= 0) {
      throw new BrinkError(
        who,
        `channel ${c} has mean ${mean} and standard deviation ${std}. To normalise, the one must be finite ` +
          "and the other above 0; choose other examples, or normalize: 'none'.",
      );
    }
  }
  return scale;
}

/** Over all pixels of the records, from sums that are exact. */
function measuredScale(records: readonly ImageRecord[], plane: number): ChannelScale {
  const [mean, std]: [number[], number[]] = [[], []];
  const count = records.length * plane;
  for (let c = 0; c < CHANNELS; c++) {
    let sum = 0;
    let squares = 0;
    for (const { bytes, offset } of records) {
      for (let k = offset + c * plane; k < offset + (c + 1) * plane; k++) {
        sum += bytes[k]!;
        squares += bytes[k]! ** 2;
      }
    }
    mean.push(sum / count / 255);
    std.push(Math.sqrt(squares / count - (sum / count) ** 2) / 255);
  }
  return { mean, std };
}

/** Planes of bytes → (pixel/255 − mean)/std with the channels last, [count, height, width, 3]. */
function images(
  { height, width, isColumnMajor }: ImageLayout,
  records: readonly ImageRecord[],
  { mean, std }: ChannelScale,
): Float32Array {
  const plane = height * width;
  const [down, right] = isColumnMajor ? [1, height] : [width, 1];
  const out = new Float32Array(records.length * plane * CHANNELS);
  for (let c = 0; c < CHANNELS; c++) {
    const value = Float32Array.from({ length: 256 }, (_, pixel) => (pixel / 255 - mean[c]!) / std[c]!);
    records.forEach(({ bytes, offset }, i) => {
      const start = offset + c * plane;
      for (let row = 0; row < height; row++) {
        for (let column = 0; column < width; column++) {
          out[((i * height + row) * width + column) * CHANNELS + c] =
            value[bytes[start + row * down + column * right]!]!;
        }
      }
    });
  }
  return out;
}
