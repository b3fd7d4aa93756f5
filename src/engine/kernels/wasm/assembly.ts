/**
 * WebAssembly instructions as bytes, put together by functions: enough for loops over vectors in memory.
 *
 * An expression leaves its value on the stack; operands stand where they stand in the text format.
 */
export type Code = readonly number[];

export const I32 = 0x7f;
export const V128 = 0x7b;

/** An integer in base 128, least digit first (LEB128). */
function digits(value: number, signed = false): number[] {
  const digit = value & 0x7f;
  const rest = signed ? value >> 7 : value >>> 7;
  const last = signed ? rest === -(digit >> 6) : rest === 0;
  return last ? [digit] : [digit | 0x80, ...digits(rest, signed)];
}

const counted = (bytes: Code): number[] => [...digits(bytes.length), ...bytes];
const list = (entries: readonly Code[]): number[] => [...digits(entries.length), ...entries.flat()];
const section = (id: number, entries: readonly Code[]): number[] => [id, ...counted(list(entries))];
const name = (text: string): number[] => counted([...Buffer.from(text)]);
/** A vector instruction. */
const simd = (opcode: number): number[] => [0xfd, ...digits(opcode)];

export const constant = (value: number): Code => [0x41, ...digits(value, true)];
export const get = (local: number): Code => [0x20, ...digits(local)];
export const set = (local: number, value: Code): Code => [...value, 0x21, ...digits(local)];
export const add = (a: Code, b: Code): Code => [...a, ...b, 0x6a];
export const multiply = (a: Code, b: Code): Code => [...a, ...b, 0x6c];
/** Adds to a local. */
export const increase = (local: number, by: Code): Code => set(local, add(get(local), by));

/** Four floats from memory, at the address and so many bytes after it. */
export const load = (address: Code, offset: number): Code => [...address, ...simd(0), 2, ...digits(offset)];
/** One float from memory, four times. */
export const loadSplat = (address: Code, offset: number): Code => [...address, ...simd(9), 2, ...digits(offset)];
export const store = (address: Code, offset: number, value: Code): Code => [
  ...address,
  ...value,
  ...simd(11),
  2,
  ...digits(offset),
];
/** Four zeros. */
export const zero: Code = [...simd(12), ...Array<number>(16).fill(0)];
/** a · b + c, rounded once where the processor can. */
export const multiplyAdd = (a: Code, b: Code, c: Code): Code => [...a, ...b, ...c, ...simd(0x105)];

/** All bits of a lane where a > b, else none. */
export const greater = (a: Code, b: Code): Code => [...a, ...b, ...simd(0x44)];
export const and = (a: Code, b: Code): Code => [...a, ...b, ...simd(0x4e)];

/** The first two floats as doubles. */
export const firstDoubles = (a: Code): Code => [...a, ...simd(0x5f)];
/** The last two floats in the place of the first. */
export const lastHalf = (a: Code): Code => [
  ...a,
  ...a,
  ...simd(0x0d),
  ...[8, 9, 10, 11, 12, 13, 14, 15],
  ...Array<number>(8).fill(0),
];
export const addDoubles = (a: Code, b: Code): Code => [...a, ...b, ...simd(0xf0)];

/** Runs the body as often as the local says, at least once, and leaves it at 0. */
export const repeat = (local: number, body: Code): Code => [
  ...[0x03, 0x40],
  ...body,
  ...set(local, add(get(local), constant(-1))),
  ...get(local),
  ...[0x0d, 0],
  0x0b,
];

/** A function without a result. Its first locals are its parameters, of type i32. */
export interface FunctionCode {
  readonly parameters: number;
  /** The types of the locals after the parameters. */
  readonly locals: readonly number[];
  readonly body: Code;
}

/** A module that exports functions by name, on the shared memory that it imports as `host.memory`. */
export function assemble(functions: Readonly<Record<string, FunctionCode>>): WebAssembly.Module {
  const [shared, mostPages] = [3, 65536];
  const memory = [...name('host'), ...name('memory'), 2, shared, 0, ...digits(mostPages)];
  const codes = Object.values(functions);
  return new WebAssembly.Module(
    Uint8Array.from([
      ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...section(
        1,
        codes.map(({ parameters }) => [0x60, ...list(Array.from({ length: parameters }, () => [I32])), 0]),
      ),
      ...section(2, [memory]),
      ...section(
        3,
        codes.map((_, index) => digits(index)),
      ),
      ...section(
        7,
        Object.keys(functions).map((text, index) => [...name(text), 0, ...digits(index)]),
      ),
      ...section(
        10,
        codes.map(({ locals, body }) => counted([...list(locals.map((local) => [1, local])), ...body, 0x0b])),
      ),
    ]),
  );
}
