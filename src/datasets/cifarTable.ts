import { BrinkError } from '../core/errors.ts';
import type { ImageRecord } from './imageData.ts';
import { readColumns } from './ownFiles/readColumns.ts';

/** Names of the column of images: structs of bytes and path. */
const IMAGES = ['img', 'image'];

/** Images of a Parquet file, and the file's checksum. */
export interface ImageTable {
  readonly records: readonly ImageRecord[];
  readonly sha256: string;
}

/** Images of a Parquet file, not decoded yet. */
export interface EncodedTable {
  readonly cells: readonly { readonly place: string; readonly label: number; readonly bytes: Uint8Array }[];
  readonly sha256: string;
}

/**
 * Images of a Parquet file as Hugging Face keeps them, as they lie there: a column `img` or `image` of structs with
 * bytes, and one of labels.
 *
 * @throws BrinkError where the file can't be read, lacks a column, or has a cell without bytes or a label that is none,
 *   with its row.
 */
export async function readEncodedTable(
  who: string,
  path: string,
  labelColumn: string,
  classCount: number,
): Promise<EncodedTable> {
  const { source, columns, at } = await readColumns(who, path);
  const column = IMAGES.find((name) => columns.has(name));
  const labels = columns.get(labelColumn);
  if (column === undefined || labels === undefined) {
    throw new BrinkError(
      who,
      `${path} has the columns ${[...columns.keys()].join(', ')}. It needs ${IMAGES.join(' or ')}, and ${labelColumn}.`,
    );
  }
  const cells = columns.get(column)!.map((cell, row) => {
    const place = `${path}, ${at(row)}`;
    const label = Number(labels[row] ?? Number.NaN);
    if (!Number.isInteger(label) || label < 0 || label >= classCount) {
      throw new BrinkError(who, `${place}: ${labelColumn} is ${labels[row]}. It must be from 0 to ${classCount - 1}.`);
    }
    const { bytes } = (cell ?? {}) as { readonly bytes?: unknown };
    if (!(bytes instanceof Uint8Array)) throw new BrinkError(who, `${place}: there is no image. Each row needs one.`);
    return { place, label, bytes };
  });
  return { cells, sha256: source.sha256 };
}

/**
 * Images of a Parquet file as Hugging Face keeps them: a column `img` or `image` of PNG, and one of labels.
 *
 * @param side Pixels of a row and of a column that each image must have.
 * @throws BrinkError where the file can't be read, lacks a column, or has an image or a label that is none, with its
 *   row.
 */
export async function readImageTable(
  who: string,
  path: string,
  labelColumn: string,
  classCount: number,
  side: number,
): Promise<ImageTable> {
  const { cells, sha256 } = await readEncodedTable(who, path, labelColumn, classCount);
  const { decode } = await import('fast-png');
  const records = cells.map(({ place, label, bytes }) => ({
    bytes: planes(who, place, () => decode(bytes, { checkCrc: true }), side),
    offset: 0,
    label,
  }));
  return { records, sha256 };
}

/** A decoded image: its pixels row by row, the channels of each behind each other. */
interface Decoded {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly depth: number;
  readonly data: ArrayLike<number>;
}

/** A red, a green and a blue plane, row by row; a grey image is the same in all three. */
function planes(who: string, place: string, decode: () => Decoded, side: number): Uint8Array {
  let image: Decoded;
  try {
    image = decode();
  } catch (cause) {
    throw new BrinkError(
      who,
      `${place}: the image is no PNG, or damaged (${(cause as Error).message}). Get the file anew.`,
      {
        cause,
      },
    );
  }
  const { width, height, channels, depth, data } = image;
  if (width !== side || height !== side || depth !== 8 || (channels !== 3 && channels !== 1) || 'palette' in image) {
    const palette = 'palette' in image ? ', a palette' : '';
    const found = `${width} × ${height} pixels, ${channels} channels of ${depth} bits${palette}`;
    throw new BrinkError(
      who,
      `${place}: the image has ${found}. It must have ${side} × ${side}, colour or grey, 8 bits.`,
    );
  }
  const plane = side ** 2;
  const out = new Uint8Array(3 * plane);
  for (let c = 0; c < 3; c++) {
    const from = channels === 3 ? c : 0;
    for (let k = 0; k < plane; k++) out[c * plane + k] = data[k * channels + from]!;
  }
  return out;
}
