import { createHash } from 'node:crypto';
import type { Dataset } from '../core/Dataset.ts';
import { BrinkError, requireInteger } from '../core/errors.ts';
import type { JsonObject } from '../core/Json.ts';
import { chooseExamples } from './chooseExamples.ts';
import { decodeImage, type Pixels } from './decodeImage.ts';
import { type ImageDataOptions, type ImageLayout, imageData, type Records } from './imageData.ts';

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

/**
 * Chooses images, decodes those that are chosen, and scales them as `imageData` does.
 *
 * @param layout Without a size all images must have that of the first.
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
    const hash = createHash('sha256');
    const records: { bytes: Uint8Array; offset: number; label: number }[] = [];
    for (let from = 0; from < chosen.length; from += AT_ONCE) {
      const some = chosen.slice(from, from + AT_ONCE);
      const encoded = await Promise.all(some.map((image) => image.read()));
      const pixels = await Promise.all(some.map(({ place }, k) => decodeImage(name, place, encoded[k]!)));
      some.forEach(({ place, label }, k) => {
        hash.update(encoded[k]!);
        requireSize(place, pixels[k]!);
        records.push({ bytes: pixels[k]!.planes, offset: 0, label });
      });
    }
    if (count === 0) return { records, sources: [] };
    return { records, sources: [...sources, { images: count, sha256: hash.digest('hex') }] };
  }

  const trained = await decoded('train', forTraining, train);
  const tested = await decoded('test', forTest, test);
  // Chosen once more, all of them are.
  return imageData({ name, classes, ...size!, isColumnMajor: false }, trained, tested, { ...options, train });
}
