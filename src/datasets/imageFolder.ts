import { readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import type { Dataset } from '../core/Dataset.ts';
import { BrinkError } from '../core/errors.ts';
import { requireText } from '../core/given.ts';
import { type EncodedImage, type EncodedImages, encodedImages } from './encodedImages.ts';
import { type ImageDataOptions, requireImageOptions } from './imageData.ts';

const WHO = 'imageFolder';
const ENDINGS = ['.jpg', '.jpeg', '.png', '.webp'];
/** What the folders of the splits may be called. */
const TRAIN = ['train'];
const TEST = ['test', 'val', 'valid', 'validation'];

/**
 * A data set of one's own images, a folder a class: `<folder>/<class>/*.jpg`, or `<folder>/train/<class>/*.jpg` and
 * `<folder>/test/<class>/*.jpg` (or `val`). x = (pixel/255 − mean)/std for each channel, [height, width, 3].
 *
 * JPEG, PNG and WebP; a grey image is the same in all three channels. The classes are the folders in the order of their
 * names, the images of each in the order of theirs. Nothing is scaled or cut, and nothing left out in silence: what is
 * no image, of another size than the first, or an image beside the folders is refused by its path. Links are followed;
 * hidden files (`.DS_Store`) are not looked at. The metadata has the checksums of the chosen files and of the pixels as
 * used: decoders of JPEG differ by a level or two. Cost: decoding what is chosen, about 0.5 ms for 64 × 64 pixels. The
 * library sharp decodes (an optional dependency).
 *
 * ```ts
 * import { imageFolder } from 'brink';
 *
 * const read = () => imageFolder('photos', { train: 1000, test: 200, subset: 'balanced' });
 * ```
 *
 * @param folder The folder of the classes, or of `train` and `test`.
 * @param options `train`, `test` (examples; those need a folder of their own), `subset`, `subsetSeed`, `normalize`,
 *   `labelNoise`, `labelSeed`.
 * @throws BrinkError where a folder is missing or empty, a file is no image or of another size, a class of the test set
 *   is none of the training set, or more examples are asked for than there are; with the path.
 */
export async function imageFolder(folder: string, options: ImageDataOptions = {}): Promise<Dataset> {
  requireText(WHO, 'the folder', folder);
  const test = requireImageOptions(WHO, options);
  const within = foldersIn(folder);
  const [training] = TRAIN.filter((name) => within.includes(name));
  const [testing] = TEST.filter((name) => within.includes(name));
  if (training === undefined && testing !== undefined) {
    throw new BrinkError(WHO, `${folder} has '${testing}' and no 'train'. Name the folder of the classes, or add one.`);
  }
  const place = training === undefined ? folder : join(folder, training);
  const classes = foldersIn(place);
  if (classes.length === 0) {
    throw new BrinkError(WHO, `there are no folders in ${resolve(place)}. Each class has one, with its name.`);
  }
  if (test > 0 && (training === undefined || testing === undefined)) {
    throw new BrinkError(
      WHO,
      `${test} test examples are asked for, and ${resolve(folder)} has no folders 'train' and 'test'. Put some into ` +
        'test/<class>, or leave test out.',
    );
  }
  const forTest = test === 0 ? { images: [], sources: [] } : imagesIn(join(folder, testing!), classes);
  return encodedImages({ name: 'images', classes }, imagesIn(place, classes), forTest, options);
}

function imagesIn(folder: string, classes: readonly string[]): EncodedImages {
  const own = foldersIn(folder);
  const other = own.find((name) => !classes.includes(name));
  if (other !== undefined) {
    throw new BrinkError(WHO, `${join(folder, other)} is none of the classes ${classes.join(', ')}. Add it to both.`);
  }
  const images = classes.flatMap((name, label): EncodedImage[] => {
    if (!own.includes(name)) return [];
    const place = join(folder, name);
    return entriesOf(place).map((entry) => {
      const path = join(place, entry.name);
      if (entry.isFolder) throw new BrinkError(WHO, `${path} is a folder within a class. Images lie side by side.`);
      if (!isImage(path)) {
        throw new BrinkError(WHO, `${path} is none of ${ENDINGS.join(', ')}. Take it out of the folder.`);
      }
      return { place: path, label, read: () => readFile(path) };
    });
  });
  if (images.length === 0) throw new BrinkError(WHO, `there are no images in ${resolve(folder)}.`);
  return { images, sources: [] };
}

/** The folders in a folder; an image beside them would be of no class. */
function foldersIn(folder: string): readonly string[] {
  const entries = entriesOf(folder);
  const folders = entries.flatMap(({ name, isFolder }) => (isFolder ? [name] : []));
  const stray = entries.find(({ name, isFolder }) => !isFolder && isImage(name));
  if (folders.length > 0 && stray !== undefined) {
    throw new BrinkError(WHO, `${join(folder, stray.name)} lies in no class. Put it into one, or take it out.`);
  }
  return folders;
}

const isImage = (path: string) => ENDINGS.includes(extname(path).toLowerCase());

/** What a folder holds, in the order of the names, links followed; nothing hidden. */
function entriesOf(folder: string): readonly { readonly name: string; readonly isFolder: boolean }[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'));
    return entries
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((entry) => ({
        name: entry.name,
        isFolder: (entry.isSymbolicLink() ? statSync(join(folder, entry.name)) : entry).isDirectory(),
      }));
  } catch (cause) {
    const { code, path = folder } = cause as NodeJS.ErrnoException;
    throw new BrinkError(WHO, `${resolve(path)} can't be read (${code}). Look at the path.`, { cause });
  }
}
