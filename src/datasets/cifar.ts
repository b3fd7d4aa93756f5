import { access, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Dataset } from '../core/Dataset.ts';
import { BrinkError, given, requireInteger } from '../core/errors.ts';
import { numbers, requireOptions } from '../core/given.ts';
import type { JsonObject } from '../core/Json.ts';
import { arrays } from './arrays.ts';
import { chooseExamples, type Subset } from './chooseExamples.ts';
import { sha256 } from './sha256.ts';

const PAGE = 'https://www.cs.toronto.edu/~kriz/cifar.html';
const SIDE = 32;
const PLANE = SIDE * SIDE;
const CHANNELS = 3;

/** One version of the data set, as its authors publish it. */
export interface CifarLayout {
  readonly name: string;
  /** The folder that its archive unpacks to. */
  readonly folder: string;
  readonly trainFiles: readonly string[];
  readonly testFiles: readonly string[];
  /** Records of each training file and of each test file. */
  readonly trainRecords: number;
  readonly testRecords: number;
  /** Bytes before the pixels; the last of them is the class. */
  readonly labelBytes: number;
  readonly classes: readonly string[];
}

/** Single files in the official layout, of any number of records. */
export interface CifarFiles {
  readonly trainFiles: readonly string[];
  /** Needed where test examples are asked for. */
  readonly testFiles?: readonly string[];
}

/** Mean and standard deviation of each colour, pixels from 0 to 1. */
export interface ChannelScale {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Which images, and how their pixels are scaled. */
export interface CifarOptions {
  /** Training examples; default all. */
  readonly train?: number;
  /** Test examples; default 0: none. */
  readonly test?: number;
  /** Of the training files, and of the test files; default 'first'. */
  readonly subset?: Subset;
  /**
   * What is subtracted from pixel/255 in each channel and what that is divided by: 'channel' (default), mean and
   * standard deviation over the chosen training examples; 'none', 0 and 1; or numbers of your own.
   */
  readonly normalize?: 'channel' | 'none' | ChannelScale;
}

/** Where one example lies. */
interface ImageRecord {
  readonly bytes: Uint8Array;
  /** Of its first pixel. */
  readonly offset: number;
  readonly label: number;
}

/** Some files' records. */
interface Records {
  readonly records: readonly ImageRecord[];
  readonly sources: JsonObject[];
}

/**
 * What `cifar10` and `cifar100` share: records of label bytes, 1024 red, 1024 green and 1024 blue bytes → x =
 * (pixel/255 − mean)/std, [32, 32, 3].
 */
export async function cifar(layout: CifarLayout, source: string | CifarFiles, options: CifarOptions): Promise<Dataset> {
  const { name } = layout;
  requireOptions(name, options, ['train', 'test', 'subset', 'normalize'], '{ train: 1000 }');
  const { test = 0, subset = 'first', normalize = 'channel' } = options;
  requireInteger(name, 'test', test, 0);
  requireSource(name, source);
  const official = typeof source === 'string';
  const files = official ? await filesIn(layout, source) : source;
  const testFiles = test === 0 ? [] : (files.testFiles ?? []);
  const forTraining = await readRecords(layout, files.trainFiles, official ? layout.trainRecords : null);
  const forTest = await readRecords(layout, testFiles, official ? layout.testRecords : null);

  const { train = forTraining.records.length } = options;
  requireInteger(name, 'train', train, 1);
  const choose = (split: string, { records }: Records, count: number) => {
    const labels = records.map(({ label }) => label);
    return Array.from(chooseExamples(`${name} (${split})`, labels, count, subset), (i) => records[i]!);
  };
  const trained = choose('train', forTraining, train);
  const tested = choose('test', forTest, test);

  const scale = channelScale(name, normalize, trained);
  const examples = (chosen: readonly ImageRecord[]) => ({
    inputs: images(chosen, scale),
    labels: chosen.map(({ label }) => label),
  });
  return arrays({
    name,
    inputShape: [SIDE, SIDE, CHANNELS],
    classes: layout.classes,
    ...examples(trained),
    ...(test > 0 && { test: examples(tested) }),
    metadata: {
      subset,
      divisor: 255,
      mean: [...scale.mean],
      std: [...scale.std],
      sources: [...forTraining.sources, ...forTest.sources],
    },
  });
}

function requireSource(who: string, source: unknown): void {
  if (typeof source === 'string' && source !== '') return;
  if (typeof source !== 'object' || source === null) {
    const advice = 'It must be the folder of the files, or { trainFiles, testFiles }.';
    throw new BrinkError(who, `${given('the source', source)} ${advice}`);
  }
  requireOptions(who, source, ['trainFiles', 'testFiles'], '{ trainFiles, testFiles }');
  for (const [name, files] of Object.entries(source)) {
    if (files === undefined || (Array.isArray(files) && files.every((file) => typeof file === 'string'))) continue;
    throw new BrinkError(who, `${given(name, files)} It must be an array of paths.`);
  }
  if (!('trainFiles' in source)) throw new BrinkError(who, 'trainFiles is missing. It must be an array of paths.');
}

/** The official files in a folder, or in the archive's folder within it. */
async function filesIn(layout: CifarLayout, directory: string): Promise<Required<CifarFiles>> {
  for (const folder of [directory, join(directory, layout.folder)]) {
    const found = await access(join(folder, layout.trainFiles[0]!)).then(
      () => true,
      () => false,
    );
    if (!found) continue;
    return {
      trainFiles: layout.trainFiles.map((file) => join(folder, file)),
      testFiles: layout.testFiles.map((file) => join(folder, file)),
    };
  }
  throw new BrinkError(
    layout.name,
    `there is no ${layout.trainFiles[0]} in ${directory} or in ${join(directory, layout.folder)}. Unpack the binary version from ${PAGE} there.`,
  );
}

/** Reads files of `expected` records each; null: of any whole number of them. */
async function readRecords(layout: CifarLayout, paths: readonly string[], expected: number | null): Promise<Records> {
  const size = layout.labelBytes + CHANNELS * PLANE;
  const records: ImageRecord[] = [];
  const sources: JsonObject[] = [];
  for (const path of paths) {
    const bytes = await readFile(path).catch((cause) => {
      throw new BrinkError(
        layout.name,
        `${path} can't be read (${cause.code}). It comes with the binary version from ${PAGE}.`,
        {
          cause,
        },
      );
    });
    const whole = expected === null ? bytes.length > 0 && bytes.length % size === 0 : bytes.length === expected * size;
    if (!whole) {
      const right = expected === null ? `a multiple of ${size}` : `${expected * size}`;
      throw new BrinkError(
        layout.name,
        `${path} has ${bytes.length} bytes, and should have ${right}: records of ${size} bytes. It is truncated or another file; get the binary version from ${PAGE}.`,
      );
    }
    for (let start = 0; start < bytes.length; start += size) {
      const offset = start + layout.labelBytes;
      const label = bytes[offset - 1]!;
      if (label >= layout.classes.length) {
        throw new BrinkError(
          layout.name,
          `the label of record ${start / size} of ${path} is ${label}. There are ${layout.classes.length} classes, so the file is not what its name says; get the binary version from ${PAGE}.`,
        );
      }
      records.push({ bytes, offset, label });
    }
    sources.push({ file: basename(path), sha256: sha256(bytes) });
  }
  return { records, sources };
}

function channelScale(
  who: string,
  normalize: NonNullable<CifarOptions['normalize']>,
  records: readonly ImageRecord[],
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
      ? measuredScale(records)
      : {
          mean: numbers(who, 'normalize.mean', normalize.mean, CHANNELS),
          std: numbers(who, 'normalize.std', normalize.std, CHANNELS),
        };
  for (let c = 0; c < CHANNELS; c++) {
    const [mean, std] = [scale.mean?.[c], scale.std?.[c]];
    if (!Number.isFinite(mean) || !Number.isFinite(std) || std! <= 0) {
      throw new BrinkError(
        who,
        `channel ${c} has mean ${mean} and standard deviation ${std}. To normalise, the one must be finite and the other above 0; choose other examples, or normalize: 'none'.`,
      );
    }
  }
  return scale;
}

/** Over all pixels of the records, from sums that are exact. */
function measuredScale(records: readonly ImageRecord[]): ChannelScale {
  const [mean, std]: [number[], number[]] = [[], []];
  const count = records.length * PLANE;
  for (let c = 0; c < CHANNELS; c++) {
    let sum = 0;
    let squares = 0;
    for (const { bytes, offset } of records) {
      for (let k = offset + c * PLANE; k < offset + (c + 1) * PLANE; k++) {
        sum += bytes[k]!;
        squares += bytes[k]! ** 2;
      }
    }
    mean.push(sum / count / 255);
    std.push(Math.sqrt(squares / count - (sum / count) ** 2) / 255);
  }
  return { mean, std };
}

/** Planes of bytes → (pixel/255 − mean)/std with the channels last, [count, 32, 32, 3]. */
function images(records: readonly ImageRecord[], { mean, std }: ChannelScale): Float32Array {
  const out = new Float32Array(records.length * PLANE * CHANNELS);
  for (let c = 0; c < CHANNELS; c++) {
    const value = Float32Array.from({ length: 256 }, (_, pixel) => (pixel / 255 - mean[c]!) / std[c]!);
    records.forEach(({ bytes, offset }, i) => {
      for (let k = 0; k < PLANE; k++) out[(i * PLANE + k) * CHANNELS + c] = value[bytes[offset + c * PLANE + k]!]!;
    });
  }
  return out;
}
