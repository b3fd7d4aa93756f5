import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Dataset } from '../core/Dataset.ts';
import { BrinkError } from '../core/errors.ts';
import { requireText } from '../core/given.ts';
import { openZip } from '../files/openZip.ts';
import { requireAllParts } from './cifar.ts';
import { readEncodedTable } from './cifarTable.ts';
import { type EncodedImages, encodedImages } from './encodedImages.ts';
import { type ImageDataOptions, requireImageOptions } from './imageData.ts';

const WHO = 'tinyImagenet';
const FOLDER = 'tiny-imagenet-200';
const ARCHIVE = `${FOLDER}.zip`;
/** Where decoded pixels are kept, beside the files. */
const CACHE = 'pixels';
const SIDE = 64;
const CLASSES = 200;
const ADVICE = '`npx brink data get tiny-imagenet` brings the archive.';

/** The official files, wherever they lie: in the archive, or unpacked. */
interface Files {
  readonly folder: string;
  readonly source: string;
  /** Paths within the archive's own folder: 'wnids.txt'. */
  readonly names: readonly string[];
  read(name: string): Promise<Buffer>;
  close(): void;
}

/**
 * Tiny-ImageNet, 64 × 64 colour images of 200 classes: x = (pixel/255 − mean)/std for each channel, [64, 64, 3].
 *
 * 100,000 images for training; the 10,000 of `val` are the test set, as `test` has no labels. The archive is read as it
 * is, nothing is unpacked, and only what is chosen is decoded (about 0.5 ms an image; of 2,000 and more the pixels are
 * kept in a folder `pixels` beside it, 12 KB an image); the folder that it unpacks to
 * serves too, and so do Hugging Face's Parquet files (`train….parquet`, `valid….parquet`). Classes are in the order of
 * their WordNet numbers. Grey images are the same in all three channels. JPEG decoders differ by a level or two: the
 * metadata has the checksums of the chosen files and of the pixels as used. The library sharp decodes (an optional
 * dependency).
 *
 * ```ts
 * import { tinyImagenet } from 'brink';
 *
 * const read = () => tinyImagenet('data', { train: 2000, subset: 'balanced' });
 * ```
 *
 * @param folder Where tiny-imagenet-200.zip lies, or tiny-imagenet-200, or the one that contains them, or Parquet
 *   files.
 * @param options `train`, `test` (examples), `subset` ('first' or 'balanced', see `chooseExamples`),
 *   `subsetSeed`, `normalize`, `labelNoise`, `labelSeed`.
 * @throws BrinkError where files are missing, damaged or other than the data set has them, an image has another size,
 *   or more examples are asked for than there are.
 * Source: Le and Yang, Tiny ImageNet visual recognition challenge, Stanford CS 231N, 2015.
 */
export async function tinyImagenet(folder: string, options: ImageDataOptions = {}): Promise<Dataset> {
  requireText(WHO, 'the folder', folder);
  const test = requireImageOptions(WHO, options);
  const none: EncodedImages = { images: [], sources: [] };
  const layout = { name: WHO, height: SIDE, width: SIDE };
  const files = await filesIn(folder);
  if (files === null) {
    const parts = partsIn(folder, 'train');
    if (parts.length === 0) {
      throw new BrinkError(WHO, `there is neither ${ARCHIVE} nor ${FOLDER} nor train….parquet in ${folder}. ${ADVICE}`);
    }
    const tests = test === 0 ? none : await imagesOfTables(partsIn(folder, 'valid'));
    const classes = Array.from({ length: CLASSES }, (_, c) => `${c}`);
    return encodedImages({ ...layout, classes }, await imagesOfTables(parts), tests, options, join(folder, CACHE));
  }
  try {
    const classes = lines(await files.read('wnids.txt')).sort();
    if (classes.length !== CLASSES) {
      throw new BrinkError(
        WHO,
        `wnids.txt in ${files.source} names ${classes.length} classes, and not ${CLASSES}. ${ADVICE}`,
      );
    }
    const tests = test === 0 ? none : await validation(files, classes);
    const cache = join(files.folder, CACHE);
    return await encodedImages({ ...layout, classes }, training(files, classes), tests, options, cache);
  } finally {
    files.close();
  }
}

async function filesIn(folder: string): Promise<Files | null> {
  const zip = [folder, join(folder, FOLDER)].map((place) => join(place, ARCHIVE)).find((path) => existsSync(path));
  if (zip !== undefined) {
    const { names, read, close } = await openZip(WHO, zip);
    const prefix = `${FOLDER}/`;
    const own = names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
    return { folder: dirname(zip), source: zip, names: own, read: (name) => read(prefix + name), close };
  }
  const place = [folder, join(folder, FOLDER)].find((path) => existsSync(join(path, 'wnids.txt')));
  if (place === undefined) return null;
  const read = (name: string) =>
    readFile(join(place, name)).catch((cause) => {
      throw new BrinkError(WHO, `${join(place, name)} can't be read (${cause.code}). ${ADVICE}`, { cause });
    });
  const below = (name: string) => (existsSync(join(place, name)) ? readdirSync(join(place, name)) : []);
  const names = below('train').flatMap((wnid) =>
    below(join('train', wnid, 'images')).map((image) => `train/${wnid}/images/${image}`),
  );
  return { folder: place, source: place, names, read, close: () => {} };
}

const lines = (bytes: Buffer) =>
  bytes
    .toString('utf8')
    .split(/\r?\n/)
    .filter((line) => line !== '');

/** Class by class, within it by number. */
function training({ source, names, read }: Files, classes: readonly string[]): EncodedImages {
  const found = names.flatMap((name) => {
    const [, wnid, number] = /^train\/(n\d+)\/images\/n\d+_(\d+)\.JPEG$/.exec(name) ?? [];
    return wnid === undefined ? [] : [{ name, label: classes.indexOf(wnid), number: Number(number) }];
  });
  const strange = found.find(({ label }) => label < 0);
  if (strange)
    throw new BrinkError(WHO, `${strange.name} in ${source} is of a class that wnids.txt has not. ${ADVICE}`);
  if (found.length === 0) throw new BrinkError(WHO, `${source} has no train/…/images/….JPEG. ${ADVICE}`);
  found.sort((a, b) => a.label - b.label || a.number - b.number);
  return {
    images: found.map(({ name, label }) => ({ place: `${name} in ${source}`, label, read: () => read(name) })),
    sources: [{ file: basename(source) }],
  };
}

/** As `val_annotations.txt` lists them: file, class, and a box that is not used, with tabs. */
async function validation({ source, read }: Files, classes: readonly string[]): Promise<EncodedImages> {
  const list = 'val/val_annotations.txt';
  const images = lines(await read(list)).map((line, k) => {
    const [file, wnid] = line.split('\t') as [string, string | undefined];
    const label = classes.indexOf(wnid ?? '');
    if (label < 0) {
      throw new BrinkError(
        WHO,
        `line ${k + 1} of ${list} in ${source} has the class ${wnid}, which wnids.txt has not. ${ADVICE}`,
      );
    }
    return { place: `val/images/${file} in ${source}`, label, read: () => read(`val/images/${file}`) };
  });
  return { images, sources: [{ file: basename(source) }] };
}

function partsIn(folder: string, split: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder)
    .filter((name) => name.startsWith(split) && name.endsWith('.parquet'))
    .sort();
  requireAllParts(WHO, folder, names);
  return names.map((name) => join(folder, name));
}

async function imagesOfTables(paths: readonly string[]): Promise<EncodedImages> {
  const tables = [];
  for (const path of paths) tables.push({ path, ...(await readEncodedTable(WHO, path, 'label', CLASSES)) });
  return {
    images: tables.flatMap(({ cells }) =>
      cells.map(({ place, label, bytes }) => ({ place, label, read: async () => bytes })),
    ),
    sources: tables.map(({ path, sha256 }) => ({ file: basename(path), sha256 })),
  };
}
