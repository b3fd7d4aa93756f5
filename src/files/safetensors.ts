import { closeSync, fstatSync, writeSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { BrinkError } from '../core/errors.ts';
import { hasFields } from '../core/hasFields.ts';
import { makeFolders } from './makeFolders.ts';
import { openToRead } from './openToRead.ts';
import { readFrom } from './readFrom.ts';
import { WholeFile } from './WholeFile.ts';

/** A tensor with a name, row-major. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** What a file in the format safetensors holds. */
export interface Safetensors {
  readonly tensors: readonly NamedTensor[];
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

/** The types of numbers that are read, with their length in bytes; F64 is rounded. */
const TYPES: Readonly<Record<string, { readonly bytes: number; read(view: DataView, at: number): number }>> = {
  F32: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  F64: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
};

/** Writes the tensors as F32. */
export function writeSafetensors(path: string, { tensors, metadata }: Safetensors): void {
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
 * Reads tensors of F32 or F64.
 *
 * @throws BrinkError where the file is none, is cut off, has bytes that belong to no tensor or to two, or holds numbers
 *   of another type.
 */
export function readSafetensors(who: string, path: string): Safetensors {
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
    const inOrder = Object.entries(entries).sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0]);
    let end = 0;
    const tensors = inOrder.map(([name, { dtype, shape, data_offsets }]) => {
      const [from, to] = data_offsets;
      const type = Object.hasOwn(TYPES, dtype) ? TYPES[dtype] : undefined;
      if (type === undefined) {
        throw wrong(`holds ${name} as ${dtype}, where F32 and F64 are read. Convert it first (in PyTorch: .float()).`);
      }
      const count = shape.reduce((product, extent) => product * extent, 1);
      if (from !== end || to - from !== count * type.bytes) {
        throw wrong(`is damaged: ${name} of shape [${shape}] and type ${dtype} has the bytes ${from} to ${to}.`);
      }
      end = to;
      if (start + to > size) throw wrong(`is cut off: ${name} ends at byte ${start + to} of ${size}.`);
      const bytes = take(start + from, to - from);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      return { name, shape, values: Float32Array.from({ length: count }, (_, k) => type.read(view, k * type.bytes)) };
    });
    if (start + end !== size) throw wrong(`is damaged: ${size - start - end} bytes behind its last tensor.`);
    return { tensors, metadata };
  } finally {
    closeSync(file);
  }
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
