import { BrinkError, given, requireInteger } from './errors.ts';
import { nearestName } from './nearestName.ts';
import { requireNames } from './requireNames.ts';
import { isPromise, shown } from './shown.ts';

/** Numbers as a caller may hand them in: an array, or a typed array of any kind. */
export type Numbers = ArrayLike<number | bigint>;

/**
 * Throws unless `value` is an object, and one of known names where they are given.
 *
 * @param such What it is, as advice: `{ inputs: 64, … }`.
 */
export function requireOptions(
  who: string,
  value: unknown,
  names: readonly string[] | null,
  such: string,
): asserts value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BrinkError(who, `${given('the argument', value)} It is an object, such as ${such}.`);
  }
  if (isPromise(value)) throw new BrinkError(who, 'the argument is a promise. Await it first.');
  if (names) requireNames(who, value, names);
}

/** Throws unless `value` is one of some words. */
export function requireChoice<T extends string>(
  who: string,
  name: string,
  value: unknown,
  choices: readonly T[],
): asserts value is T {
  if (typeof value === 'string' && (choices as readonly string[]).includes(value)) return;
  const nearest = typeof value === 'string' ? nearestName(value, choices) : undefined;
  const wanted = choices.map((choice) => `'${choice}'`).join(', ');
  throw new BrinkError(
    who,
    `${given(name, value)} ${nearest ? `Did you mean '${nearest}'? ` : ''}It must be one of ${wanted}.`,
  );
}

/** Throws unless `value` is true or false: in JavaScript 'false' would count as true. */
export function requireFlag(who: string, name: string, value: unknown): asserts value is boolean {
  if (typeof value !== 'boolean') throw new BrinkError(who, `${given(name, value)} It must be true or false.`);
}

/** Throws unless `value` is a string with something in it. */
export function requireText(who: string, name: string, value: unknown): asserts value is string {
  if (typeof value === 'string' && value !== '') return;
  throw new BrinkError(who, `${given(name, value)} It must be a string that is not empty.`);
}

/** Throws unless `value` is a path with one of some endings: `.arrows`. */
export function requirePath(who: string, value: unknown, endings: readonly string[]): asserts value is string {
  if (typeof value === 'string' && endings.some((ending) => value.endsWith(ending))) return;
  const wanted = endings.map((ending) => `'${ending}'`).join(' or ');
  throw new BrinkError(
    who,
    `${value === undefined ? 'the path is missing' : `the path is ${shown(value)}`}. It must end in ${wanted}.`,
  );
}

/** Throws unless `value` is a number from 0 to 1; NaN is none. */
export function requireShare(who: string, name: string, value: unknown): asserts value is number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return;
  throw new BrinkError(who, `${given(name, value)} It must be a number from 0 to 1.`);
}

/** Throws unless `value` is an array or a typed array, whatever is in it. */
export function requireList(who: string, name: string, value: unknown): asserts value is ArrayLike<unknown> {
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))) return;
  const advice = isPromise(value)
    ? 'Await it first.'
    : isTensor(value)
      ? 'It must be an array; read a tensor by `await tensor.data()`.'
      : typeof value === 'number'
        ? `It must be an array, such as [${value}].`
        : 'It must be an array, or a typed array.';
  throw new BrinkError(who, `${isTensor(value) ? `${name} is a tensor.` : given(name, value)} ${advice}`);
}

const isTensor = (value: unknown) =>
  typeof value === 'object' && value !== null && 'dataId' in value && 'dtype' in value && 'shape' in value;

/** A list of integers, each of at least `least`: widths, lengths of a shape. */
export function integers(who: string, name: string, value: unknown, least: number): readonly number[] {
  requireList(who, name, value);
  return Array.from(value, (entry, k) => {
    requireInteger(who, `${name}[${k}]`, entry, least);
    return entry;
  });
}

/**
 * Numbers in float32. A Float32Array is used as it is, not copied; integers of 64 bits are converted.
 *
 * Null, '', false, text and holes are refused, which Float32Array.from would take for 0 or NaN, and so is what float32
 * can't hold.
 *
 * @param at Where entry k stands, in words: `train inputs: entry 1 of example 3`.
 * @throws BrinkError with place and value.
 */
export function float32(
  who: string,
  name: string,
  value: unknown,
  at: (k: number) => string = (k) => `${name}[${k}]`,
): Float32Array {
  requireList(who, name, value);
  const numbers = value instanceof Float32Array ? value : new Float32Array(value.length);
  for (let k = 0; k < value.length; k++) {
    if (numbers !== value) numbers[k] = numberOf(who, at, value[k], k);
    if (Number.isFinite(numbers[k])) continue;
    const advice = 'Every value must be finite in float32; replace it, or leave out what it belongs to.';
    throw new BrinkError(who, `${at(k)} is ${shown(value[k])}. ${advice}`);
  }
  return numbers;
}

/** Finite numbers as they are. @throws BrinkError with place and value. */
export function numbers(who: string, name: string, value: unknown, length?: number): number[] {
  requireList(who, name, value);
  if (length !== undefined && value.length !== length) {
    throw new BrinkError(who, `${name} has ${value.length} entries. It must have ${length}.`);
  }
  const at = (k: number) => `${name}[${k}]`;
  return Array.from(value, (entry, k) => {
    const number = numberOf(who, at, entry, k);
    if (Number.isFinite(number)) return number;
    throw new BrinkError(who, `${at(k)} is ${number}. It must be a finite number.`);
  });
}

/** One entry as a number. */
export function numberOf(who: string, at: (k: number) => string, entry: unknown, k: number): number {
  if (typeof entry === 'number') return entry;
  if (typeof entry === 'bigint') return Number(entry);
  const advice =
    typeof entry === 'string'
      ? 'It must be a number; convert text by Number, and say what an empty one stands for.'
      : Array.isArray(entry) || ArrayBuffer.isView(entry)
        ? 'It must be a number; put rows one after the other by `.flat()`.'
        : 'It must be a number; leave out what it belongs to, or replace it.';
  const what = entry === undefined ? 'missing' : shown(entry);
  throw new BrinkError(who, `${at(k)} is ${what}. ${advice}`);
}

/** Throws unless `value` is a typed array of one of some kinds, and of a length: what a pass computes with. */
export function requireVector(
  who: string,
  name: string,
  value: unknown,
  length: number | null,
  kinds: readonly ('Float32Array' | 'Float64Array' | 'Int32Array')[] = ['Float32Array'],
): void {
  const kind = ArrayBuffer.isView(value) ? value.constructor.name : '';
  if (!(kinds as readonly string[]).includes(kind)) {
    throw new BrinkError(who, `${given(name, value)} It must be a ${kinds[0]}; ${kinds[0]}.from(…) makes one.`);
  }
  const { length: found } = value as unknown as ArrayLike<number>;
  if (length !== null && found !== length)
    throw new BrinkError(who, `${name} has ${found} entries. It must have ${length}.`);
}
