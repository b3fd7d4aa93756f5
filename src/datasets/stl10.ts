import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Dataset } from '../core/Dataset.ts';
import { BrinkError } from '../core/errors.ts';
import { requireText } from '../core/given.ts';
import { type ImageDataOptions, type ImageLayout, imageData, type Records, requireImageOptions } from './imageData.ts';
import { sha256 } from './sha256.ts';

const WHO = 'stl10';
const FOLDER = 'stl10_binary';
const ADVICE = '`npx brink data get stl-10` brings the binary version.';

const LAYOUT: ImageLayout = {
  name: WHO,
  height: 96,
  width: 96,
  isColumnMajor: true,
  classes: ['airplane', 'bird', 'car', 'cat', 'deer', 'dog', 'horse', 'monkey', 'ship', 'truck'],
};
/** Bytes of one image. */
const SIZE = 3 * LAYOUT.height * LAYOUT.width;
/** Images of each split. */
const COUNTS = { train: 5000, test: 8000 } as const;

/**
 * STL-10, 96 × 96 colour images of ten classes, from its official binary files: x = (pixel/255 − mean)/std for each
 * channel, [96, 96, 3].
 *
 * 5000 images for training and 8000 for tests; the unlabeled ones are never read, and the ten folds are not used. A
 * subset is a function of the files and the options alone. A split is read whole, 140 MB for training and 220 MB for
 * tests, and an example that is chosen takes 110 KB more.
 *
 * ```ts
 * import { stl10 } from 'brink';
 *
 * const read = () => stl10('data', { train: 1000, subset: 'balanced' });
 * ```
 *
 * @param folder The unpacked folder (stl10_binary) or the one that contains it.
 * @param options `train`, `test` (examples), `subset` ('first' or 'balanced', see `chooseExamples`),
 *   `subsetSeed`, `normalize`, `labelNoise`, `labelSeed`.
 * @throws BrinkError where a file is missing, has another size or a label that is not 1 … 10, more examples are asked
 *   for than there are, or a channel can't be normalised.
 * Source: Coates, Lee and Ng, An analysis of single-layer networks in unsupervised feature learning, AISTATS 2011.
 */
export async function stl10(folder: string, options: ImageDataOptions = {}): Promise<Dataset> {
  requireText(WHO, 'the folder', folder);
  const test = requireImageOptions(WHO, options);
  const within = join(folder, FOLDER);
  const place = [folder, within].find((directory) => existsSync(join(directory, 'train_X.bin')));
  if (place === undefined) throw new BrinkError(WHO, `there is no train_X.bin in ${folder} or in ${within}. ${ADVICE}`);
  const forTraining = await readSplit(place, 'train');
  const forTest = test === 0 ? { records: [], sources: [] } : await readSplit(place, 'test');
  return imageData(LAYOUT, forTraining, forTest, options);
}

async function readSplit(folder: string, split: keyof typeof COUNTS): Promise<Records> {
  const count = COUNTS[split];
  const images = await readWhole(join(folder, `${split}_X.bin`), count * SIZE);
  const labels = await readWhole(join(folder, `${split}_y.bin`), count);
  const wrong = labels.findIndex((label) => label < 1 || label > LAYOUT.classes.length);
  if (wrong >= 0) {
    const path = join(folder, `${split}_y.bin`);
    throw new BrinkError(WHO, `label ${wrong} of ${path} is ${labels[wrong]}. Labels are 1 … 10. ${ADVICE}`);
  }
  return {
    records: Array.from(labels, (label, i) => ({ bytes: images, offset: i * SIZE, label: label - 1 })),
    sources: [
      { file: `${split}_X.bin`, sha256: sha256(images) },
      { file: `${split}_y.bin`, sha256: sha256(labels) },
    ],
  };
}

async function readWhole(path: string, size: number): Promise<Uint8Array> {
  const bytes = await readFile(path).catch((cause) => {
    throw new BrinkError(WHO, `${path} can't be read (${cause.code}). ${ADVICE}`, { cause });
  });
  if (bytes.length === size) return bytes;
  throw new BrinkError(
    WHO,
    `${path} has ${bytes.length} bytes, and should have ${size}. It is truncated or another file; ${ADVICE}`,
  );
}
