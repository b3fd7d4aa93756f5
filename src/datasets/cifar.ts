import { access, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Dataset } from '../core/Dataset.ts';
import { BrinkError, given } from '../core/errors.ts';
import { requireOptions } from '../core/given.ts';
import type { JsonObject } from '../core/Json.ts';
import { readImageTable } from './cifarTable.ts';
import { type ImageDataOptions, type ImageRecord, imageData, type Records, requireImageOptions } from './imageData.ts';
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
  /** The column of the class where the images lie in Parquet. */
  readonly labelColumn: string;
  readonly classes: readonly string[];
}

/** Single files in the official layout or in Parquet, of any number of records. */
export interface CifarFiles {
  readonly trainFiles: readonly string[];
  /** Needed where test examples are asked for. */
  readonly testFiles?: readonly string[];
}

/**
 * What `cifar10` and `cifar100` share: records of label bytes, 1024 red, 1024 green and 1024 blue bytes, or Parquet
 * files of PNG → x = (pixel/255 − mean)/std, [32, 32, 3].
 */
export async function cifar(
  layout: CifarLayout,
  source: string | CifarFiles,
  options: ImageDataOptions,
): Promise<Dataset> {
  const { name, classes } = layout;
  const test = requireImageOptions(name, options);
  requireSource(name, source);
  const official = typeof source === 'string';
  const files = official ? await filesIn(layout, source) : source;
  const testFiles = test === 0 ? [] : (files.testFiles ?? []);
  const forTraining = await readRecords(layout, files.trainFiles, official ? layout.trainRecords : null);
  const forTest = await readRecords(layout, testFiles, official ? layout.testRecords : null);
  return imageData({ name, height: SIDE, width: SIDE, isColumnMajor: false, classes }, forTraining, forTest, options);
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

/** The official files in a folder, or in the archive's folder within it; else the Parquet files in the folder. */
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
  const names = (await readdir(directory).catch(() => [])).filter((name) => name.endsWith('.parquet')).sort();
  const [trainFiles, testFiles] = ['train', 'test'].map((split) => {
    const found = names.filter((name) => name.startsWith(split));
    requireAllParts(layout.name, directory, found);
    return found.map((name) => join(directory, name));
  }) as [string[], string[]];
  if (trainFiles.length > 0) return { trainFiles, testFiles };
  throw new BrinkError(
    layout.name,
    `there is no ${layout.trainFiles[0]} in ${directory} or in ${join(directory, layout.folder)}. Unpack the binary version from ${PAGE} there.`,
  );
}

/** Throws where a table that lies in several files, `train-00000-of-00002.parquet`, lacks one. */
export function requireAllParts(who: string, directory: string, names: readonly string[]): void {
  for (const name of names) {
    const [, before, of, count] = /^(.*-)\d+(-of-(\d+)\.parquet)$/.exec(name) ?? [];
    for (let part = 0; part < Number(count ?? 0); part++) {
      const needed = `${before}${`${part}`.padStart(count!.length, '0')}${of}`;
      if (!names.includes(needed)) {
        throw new BrinkError(who, `${directory} has ${name}, and not ${needed}. The data lie in both; get it too.`);
      }
    }
  }
}

/** Reads files of `expected` records each; null: of any whole number of them. */
async function readRecords(layout: CifarLayout, paths: readonly string[], expected: number | null): Promise<Records> {
  const size = layout.labelBytes + CHANNELS * PLANE;
  const records: ImageRecord[] = [];
  const sources: JsonObject[] = [];
  for (const path of paths) {
    if (path.endsWith('.parquet')) {
      const table = await readImageTable(layout.name, path, layout.labelColumn, layout.classes.length, SIDE);
      for (const record of table.records) records.push(record);
      sources.push({ file: basename(path), sha256: table.sha256 });
      continue;
    }
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
