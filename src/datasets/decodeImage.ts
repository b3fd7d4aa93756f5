import { BrinkError } from '../core/errors.ts';

/** An image as pixels: a red plane, a green and a blue one, each row by row. */
export interface Pixels {
  readonly height: number;
  readonly width: number;
  readonly planes: Uint8Array;
}

/**
 * Decodes JPEG, PNG or WebP to three planes of bytes in sRGB; a grey image is the same in all three.
 *
 * Decoders of JPEG differ by a level or two, from version to version too: the metadata of a data set has the checksum
 * of the pixels as used.
 *
 * @param place Where it lies, in words.
 * @throws BrinkError where it can't be decoded, is transparent or has 16 bits, or the library `sharp` is not installed.
 */
export async function decodeImage(who: string, place: string, bytes: Uint8Array): Promise<Pixels> {
  const { default: sharp } = await load(who);
  const refuse = (what: string, cause?: unknown) => new BrinkError(who, `${place}: ${what}`, { cause });
  try {
    const image = sharp(bytes, { failOn: 'warning' });
    const { hasAlpha, depth } = await image.metadata();
    if (hasAlpha) throw refuse('the image is transparent. Lay it on a ground, and save it without an alpha channel.');
    if (depth !== 'uchar') throw refuse(`the image has the depth ${depth}. It must have 8 bits.`);
    const { data, info } = await image.toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
    const { height, width, channels } = info;
    if (channels !== 3 && channels !== 1)
      throw refuse(`the image has ${channels} channels. It must be colour or grey.`);
    const plane = height * width;
    const planes = new Uint8Array(3 * plane);
    for (let c = 0; c < 3; c++) {
      const from = channels === 3 ? c : 0;
      for (let k = 0; k < plane; k++) planes[c * plane + k] = data[k * channels + from]!;
    }
    return { height, width, planes };
  } catch (cause) {
    if (cause instanceof BrinkError) throw cause;
    throw refuse(
      `the image can't be decoded (${(cause as Error).message.split('\n')[0]}). Get it anew, or leave it out.`,
      cause,
    );
  }
}

/** The decoder, with all of its libraries: another one may give other pixels. */
export async function decoderVersion(who: string): Promise<string> {
  const { versions } = (await load(who)).default;
  return `sharp-${versions.sharp}-${process.arch}`;
}

function load(who: string) {
  return import('sharp').catch((cause) => {
    throw new BrinkError(
      who,
      `the library sharp, which decodes images, is not there (${(cause as Error).message.split('\n')[0]}). ` +
        'npm install sharp@0.35.5 puts it there.',
      { cause },
    );
  });
}
