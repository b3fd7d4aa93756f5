import { closeSync, fstatSync, writeSync } from 'node:fs';
import { endianness } from 'node:os';
import { dirname, resolve } from 'node:path';
import { BrinkError } from '../core/errors.ts';
import { hasFields } from '../core/hasFields.ts';
import { fromBfloat16, fromFloat16 } from './halfPrecision.ts';
import { makeFolders } from './makeFolders.ts';
import { openToRead } from './openToRead.ts';
import { readFrom } from './readFrom.ts';
import { WholeFile } from './WholeFile.ts';

/** Numbers as a file holds them. */
export type TensorValues =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** A tensor with a name, row-major. */
export interface NamedTensor<V extends TensorValues = TensorValues> {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: V;
}

/** A tensor as it was read. */
export interface StoredTensor extends NamedTensor {
  /** As what the file holds its numbers. */
  readonly type: TensorType;
}

/** What a file in the format safetensors holds. */
export interface Safetensors<T extends NamedTensor = StoredTensor> {
  readonly tensors: readonly T[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** The length of the header, before it: u64, little-endian. */
const PREFIX = 8;
/** A longer header is no header, but chance. */
const MOST_HEADER_BYTES = 100_000_000;
const METADATA = '__metadata__';

/** What the header says of a tensor. */
interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** The types of numbers that can be read, as they lie in the file. */
const TYPES = {
  F16: Uint16Array,
  BF16: Uint16Array,
  F32: Float32Array,
  F64: Float64Array,
  I8: Int8Array,
  U8: Uint8Array,
  I16: Int16Array,
  U16: Uint16Array,
  I32: Int32Array,
  U32: Uint32Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
} as const;
export type TensorType = keyof typeof TYPES;

/** Halves become float32, which holds each of them as it is. */
const HALVES: Partial<Record<TensorType, (bits: number) => number>> = { F16: fromFloat16, BF16: fromBfloat16 };

/** All of them. */
export const TENSOR_TYPES = Object.keys(TYPES) as readonly TensorType[];

/** Writes the tensors as F32. */
export function writeSafetensors(path: string, { tensors, metadata }: Safetensors<NamedTensor<Float32Array>>): void {
  let end = 0;
  const entries = tensors.map(({ name, shape, values }) => {
    const start = end;
    end += 4 * values.length;
    return [name, { dtype: 'F32', shape, data_offsets: [start, end] }] as const;
  });
  const text = JSON.stringify({ [METADATA]: metadata, ...Object.fromEntries(entries) });
  const length = Buffer.byteLength(text);
  // Blanks behind the header, so that the numbers begin at a multiple of 8 bytes.
  const padded = Math.ceil(length / 8) * 8;
  const prefix = Buffer.alloc(PREFIX + padded, ' ');
  prefix.writeBigUInt64LE(BigInt(padded));
  prefix.write(text, PREFIX);

  makeFolders(dirname(resolve(path)));
  const whole = new WholeFile(path);
  try {
    for (const bytes of [prefix, ...tensors.map(({ values }) => littleEndian(values))]) {
      for (let at = 0; at < bytes.length; ) at += writeSync(whole.file, bytes, at);
    }
    whole.finish();
  } catch (error) {
    whole.discard();
    throw error;
  }
}

/**
 * Reads tensors of some types; float16 and bfloat16 as float32, in which nothing of them is lost.
 *
 * @throws BrinkError where the file is none, is cut off, has bytes that belong to no tensor or to two, or holds numbers
 *   of another type.
 */
export function readSafetensors(who: string, path: string, types: readonly TensorType[]): Safetensors {
  return read(who, path, types, (about, bytes) => ({ ...about, values: numbersOf(about.type, bytes()) }));
}

/** What the header of a file says of its tensors, the numbers unread. @throws BrinkError as `readSafetensors`. */
export function readTensorTypes(who: string, path: string, types: readonly TensorType[]): readonly About[] {
  return read(who, path, types, (about) => about).tensors;
}

type About = Omit<StoredTensor, 'values'>;

function read<T>(
  who: string,
  path: string,
  types: readonly TensorType[],
  make: (about: About, bytes: () => Buffer) => T,
): { readonly tensors: readonly T[]; readonly metadata: Header['metadata'] } {
  const wrong = (what: string) => new BrinkError(who, `${path} ${what}`);
  const file = openToRead(who, path);
  try {
    const { size } = fstatSync(file);
    const take = (start: number, length: number): Buffer => {
      const bytes = Buffer.alloc(length);
      if (readFrom(file, start, bytes) < length) throw wrong('became shorter while it was read.');
      return bytes;
    };
    const length = size < PREFIX ? 0n : take(0, PREFIX).readBigUInt64LE();
    if (length < 2n || length > BigInt(Math.min(MOST_HEADER_BYTES, size - PREFIX))) {
      throw wrong('is no safetensors file, or its beginning is cut off.');
    }
    const { metadata, entries } = readHeader(take(PREFIX, Number(length)), wrong);
    const start = PREFIX + Number(length);
    // Of two that begin at one byte the first one is empty.
    const inOrder = Object.entries(entries).sort(
      ([, { data_offsets: a }], [, { data_offsets: b }]) => a[0] - b[0] || a[1] - b[1],
    );
    let end = 0;
    const tensors = inOrder.map(([name, { dtype, shape, data_offsets }]) => {
      const [from, to] = data_offsets;
      const type = types.find((known) => known === dtype);
      if (type === undefined) {
        const read = `${types.slice(0, -1).join(', ')} and ${types.at(-1)}`;
        throw wrong(`holds ${name} as ${dtype}, where ${read} are read. Convert it first (in PyTorch: .float()).`);
      }
      const count = shape.reduce((product, extent) => product * extent, 1);
      const width = TYPES[type].BYTES_PER_ELEMENT;
      if (from !== end || to - from !== count * width) {
        throw wrong(`is damaged: ${name} of shape [${shape}] and type ${dtype} has the bytes ${from} to ${to}.`);
      }
      end = to;
      if (start + to > size) throw wrong(`is cut off: ${name} ends at byte ${start + to} of ${size}.`);
      return make({ name, shape, type }, () => take(start + from, to - from));
    });
    if (start + end !== size) throw wrong(`is damaged: ${size - start - end} bytes behind its last tensor.`);
    return { tensors, metadata };
  } finally {
    closeSync(file);
  }
}

/** The numbers, whatever the machine's order. */
function numbersOf(type: TensorType, bytes: Buffer): TensorValues {
  const ordered = endianness() === 'LE' ? bytes : swapped(bytes, TYPES[type].BYTES_PER_ELEMENT);
  const own = new Uint8Array(ordered).buffer;
  const values = new TYPES[type](own);
  const half = HALVES[type];
  return half ? Float32Array.from(values as Uint16Array, half) : values;
}

function swapped(bytes: Buffer, width: number): Buffer {
  return Buffer.from(bytes.map((_, k) => bytes[k - (k % width) + (width - 1 - (k % width))]!));
}

interface Header {
  readonly metadata: Readonly<Record<string, string>>;
  readonly entries: Readonly<Record<string, Entry>>;
}

function readHeader(bytes: Buffer, wrong: (what: string) => BrinkError): Header {
  const refuse = (what: string) => wrong(`is no safetensors file, or its header is damaged: ${what}.`);
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw refuse('it is no JSON');
  }
  if (!hasFields(value, {})) throw refuse('it is no object');
  const { [METADATA]: metadata = {}, ...entries } = value as Record<string, unknown>;
  if (!hasFields(metadata, {}) || Object.values(metadata).some((text) => typeof text !== 'string')) {
    throw refuse(`${METADATA} holds more than strings`);
  }
  for (const [name, entry] of Object.entries(entries)) if (!isEntry(entry)) throw refuse(name);
  return { metadata: metadata as Header['metadata'], entries: entries as Header['entries'] };
}

function isEntry(value: unknown): value is Entry {
  if (!hasFields(value, { dtype: ['string'], shape: ['array'], data_offsets: ['array'] })) return false;
  const areCounts = (list: unknown) => (list as unknown[]).every((k) => Number.isSafeInteger(k) && (k as number) >= 0);
  return areCounts(value.shape) && areCounts(value.data_offsets) && (value.data_offsets as unknown[]).length === 2;
}

/** The bytes of the numbers, least significant first, whatever the machine's order. */
function littleEndian(values: Float32Array): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, k) => {
    bytes.writeFloatLE(value, 4 * k);
  });
  return bytes;
}
