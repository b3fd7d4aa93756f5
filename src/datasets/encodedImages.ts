import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Dataset } from '../core/Dataset.ts';
import { BrinkError, requireInteger } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import { chooseExamples } from './chooseExamples.ts';
import { decodeImage, decoderVersion, type Pixels } from './decodeImage.ts';
import { type ImageDataOptions, type ImageLayout, imageData, type Records } from './imageData.ts';
import { keepPixels, keptPixels } from './pixelCache.ts';

/** An image that is not decoded before it is chosen. */
export interface EncodedImage {
  /** Where it lies, in words. */
  readonly place: string;
  readonly label: number;
  read(): Promise<Uint8Array>;
}

/** Some of them, and what is known of where they come from. */
export interface EncodedImages {
  readonly images: readonly EncodedImage[];
  readonly sources: readonly JsonObject[];
}

/** How many are decoded at once. */
const AT_ONCE = 16;
/** So many take a second to decode, and less to read back. */
const WORTH_KEEPING = 2000;

/** Of all of them as they lie in their files, one behind the other. */
async function checksumOf(images: readonly EncodedImage[]): Promise<string> {
  const hash = createHash('sha256');
  for (const { read } of images) hash.update(await read());
  return hash.digest('hex');
}

/**
 * Chooses images, decodes those that are chosen, and scales them as `imageData` does.
 *
 * @param layout Without a size all images must have that of the first.
 * @param cache A folder in which the pixels of 2,000 images and more of known size are kept; null: they are not.
 * @throws BrinkError where an image can't be decoded or has another size, with its place.
 */
export async function encodedImages(
  layout: Omit<ImageLayout, 'height' | 'width' | 'isColumnMajor'> & {
    readonly height?: number;
    readonly width?: number;
  },
  forTraining: EncodedImages,
  forTest: EncodedImages,
  options: ImageDataOptions,
  cache: string | null = null,
): Promise<Dataset> {
  const { name, classes } = layout;
  const { train = forTraining.images.length, test = 0, subset = 'first', subsetSeed = null } = options;
  requireInteger(name, 'train', train, 1);
  let size: { readonly height: number; readonly width: number } | null =
    layout.height === undefined ? null : { height: layout.height, width: layout.width! };

  function requireSize(place: string, { height, width }: Pixels): void {
    size ??= { height, width };
    if (height === size.height && width === size.width) return;
    throw new BrinkError(
      name,
      `${place} has ${height} × ${width} pixels, and ${layout.height === undefined ? 'the first' : 'it should have'} ` +
        `${size.height} × ${size.width}. All must have one size (height × width); scale or cut them first.`,
    );
  }

  async function decoded(split: string, { images, sources }: EncodedImages, count: number): Promise<Records> {
    const labels = images.map(({ label }) => label);
    const chosen = Array.from(
      chooseExamples(`${name} (${split})`, labels, count, subset, subsetSeed),
      (i) => images[i]!,
    );
    if (count === 0) return { records: [], sources: [] };
    const sha256 = await checksumOf(chosen);
    const known = cache === null || count < WORTH_KEEPING ? null : layout;
    const file = known && join(cache!, `${split}-${sha256.slice(0, 16)}-${await decoderVersion(name)}.pixels`);
    const bytes = known && 3 * known.height! * known.width!;
    const kept = file && (await keptPixels(file, count * bytes!));
    const planes = kept ? null : await decodeAll(chosen);
    if (file && planes) keepPixels(name, file, planes);
    const records = chosen.map(({ label }, k) =>
      kept ? { bytes: kept, offset: k * bytes!, label } : { bytes: planes![k]!, offset: 0, label },
    );
    return { records, sources: [...sources, { images: count, sha256 }] };
  }

  async function decodeAll(chosen: readonly EncodedImage[]): Promise<Uint8Array[]> {
    const planes: Uint8Array[] = [];
    for (let from = 0; from < chosen.length; from += AT_ONCE) {
      const some = chosen.slice(from, from + AT_ONCE);
      const decoded = await Promise.all(some.map(async ({ place, read }) => decodeImage(name, place, await read())));
      decoded.forEach((pixels, k) => {
        requireSize(some[k]!.place, pixels);
        planes.push(pixels.planes);
      });
    }
    return planes;
  }

  const trained = await decoded('train', forTraining, train);
  const tested = await decoded('test', forTest, test);
  // Chosen once more, all of them are.
  return imageData({ name, classes, ...size!, isColumnMajor: false }, trained, tested, { ...options, train });
}
