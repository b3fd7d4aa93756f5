import { BrinkError } from '../core/errors.ts';
import { fromFloat16 } from './halfPrecision.ts';
import type { TensorValues } from './safetensors.ts';

/** An array of a file, row-major; text stays text. */
export interface FileArray {
  readonly shape: readonly number[];
  /** As the file calls its type: '<f8', 'F32'. */
  readonly type: string;
  readonly values: TensorValues | readonly string[];
}

const MAGIC = Buffer.from('\x93NUMPY', 'latin1');
const HEADER = /^\{\s*'descr':\s*'([^']+)',\s*'fortran_order':\s*(True|False),\s*'shape':\s*\(([\d,\s]*)\),?\s*\}\s*$/;

/** How each type of numbers is read. */
const READERS: Readonly<
  Record<string, { make(n: number): TensorValues; read(v: DataView, at: number, le: boolean): number | bigint }>
> = {
  f2: { make: (n) => new Float32Array(n), read: (v, at, le) => fromFloat16(v.getUint16(at, le)) },
  f4: { make: (n) => new Float32Array(n), read: (v, at, le) => v.getFloat32(at, le) },
  f8: { make: (n) => new Float64Array(n), read: (v, at, le) => v.getFloat64(at, le) },
  i1: { make: (n) => new Int8Array(n), read: (v, at) => v.getInt8(at) },
  u1: { make: (n) => new Uint8Array(n), read: (v, at) => v.getUint8(at) },
  i2: { make: (n) => new Int16Array(n), read: (v, at, le) => v.getInt16(at, le) },
  u2: { make: (n) => new Uint16Array(n), read: (v, at, le) => v.getUint16(at, le) },
  i4: { make: (n) => new Int32Array(n), read: (v, at, le) => v.getInt32(at, le) },
  u4: { make: (n) => new Uint32Array(n), read: (v, at, le) => v.getUint32(at, le) },
  i8: { make: (n) => new BigInt64Array(n), read: (v, at, le) => v.getBigInt64(at, le) },
  u8: { make: (n) => new BigUint64Array(n), read: (v, at, le) => v.getBigUint64(at, le) },
};

/**
 * Reads an array in numpy's format: magic, version, a header that is a Python literal, the numbers.
 *
 * @param what Whose array it is, in words.
 * @throws BrinkError where the bytes are none, are cut off or too many, or hold another type (complex numbers,
 *   Python objects, structures).
 */
export function parseNpy(who: string, what: string, bytes: Buffer): FileArray {
  const wrong = (why: string) => new BrinkError(who, `${what} ${why}`);
  if (bytes.length < 10 || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw wrong('is no npy array: it does not begin as one.');
  }
  const version = bytes[6]!;
  if (version < 1 || version > 3) throw wrong(`has version ${version} of the format npy, where 1 to 3 are read.`);
  const start = version === 1 ? 10 : 12;
  if (bytes.length < start) throw wrong('is cut off within its header.');
  const data = start + (version === 1 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8));
  if (data > bytes.length) throw wrong('is cut off within its header.');
  const header = bytes.toString(version === 3 ? 'utf8' : 'latin1', start, data);
  const [, type, fortran, extents] = HEADER.exec(header) ?? [];
  if (type === undefined) {
    const advice = 'One array of numbers or text is read; save the fields of a structure one by one.';
    throw wrong(`has a header that can't be read: ${header.trim().slice(0, 80)}. ${advice}`);
  }
  const shape = extents!.split(',').flatMap((text) => (text.trim() === '' ? [] : [Number(text)]));
  const count = shape.reduce((product, extent) => product * extent, 1);
  const kind = /^[<>|=]([fiuU])(\d+)$/.exec(type);
  const isText = kind?.[1] === 'U';
  const reader = READERS[type.slice(1)];
  if (!kind || (!isText && reader === undefined)) {
    throw wrong(
      `has the type '${type}'. Floats of 16, 32 or 64 bits, integers and text (U) are read; convert it first.`,
    );
  }
  const width = isText ? 4 * Number(kind[2]) : Number(kind[2]);
  if (!Number.isSafeInteger(count * width) || bytes.length - data !== count * width) {
    throw wrong(
      `is damaged: shape [${shape}] of '${type}' takes ${count * width} bytes, it has ${bytes.length - data}.`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + data, count * width);
  const isLittle = type[0] !== '>';
  const from = fortran === 'True' ? columnMajor(shape) : (k: number) => k;
  if (isText) {
    const values = Array.from({ length: count }, (_, k) => text(view, from(k) * width, width, isLittle));
    const k = values.indexOf(null);
    if (k >= 0) throw wrong(`is damaged: entry ${k} holds what is no character.`);
    return { shape, type, values: values as string[] };
  }
  const values = reader!.make(count);
  for (let k = 0; k < count; k++) values[k] = reader!.read(view, from(k) * width, isLittle);
  return { shape, type, values };
}

/** Where entry k, counted row by row, stands in a file that counts column by column. */
function columnMajor(shape: readonly number[]): (k: number) => number {
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((a, b) => a * b, 1));
  return (k) => {
    let [rest, at] = [k, 0];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += (rest % shape[axis]!) * strides[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    return at;
  };
}

/** Characters of four bytes each, up to the zeros that fill the rest; null where one is none. */
function text(view: DataView, start: number, width: number, isLittle: boolean): string | null {
  const points = Array.from({ length: width / 4 }, (_, k) => view.getUint32(start + 4 * k, isLittle));
  if (points.some((point) => point > 0x10ffff)) return null;
  return String.fromCodePoint(...points).replace(/\0+$/, '');
}
