import { BrinkError } from './errors.ts';
import type { Json } from './Json.ts';
import type { Objective } from './Objective.ts';
import type { DerivedDefault, Option } from './Option.ts';
import { shown } from './shown.ts';

interface Text {
  readonly description: string;
}
type Default<T> = T | DerivedDefault<T>;
type Kind<T> = Pick<Option<T>, 'range' | 'schema' | 'check'> & {
  accept?(who: string, name: string, value: T, objective: Objective): void;
};

const isDerived = <T>(value: Default<T>): value is DerivedDefault<T> =>
  typeof value === 'object' && value !== null && 'of' in value;

/** A default as help says it, with every entry of a list: an error message shows the first ones. */
const inFull = (value: unknown): string => (Array.isArray(value) ? `[${value.map(inFull).join(', ')}]` : shown(value));

/** An option of a kind: with a default, without one (null is used then), or needed. */
function option<T>(kind: Kind<T>, text: Text & { readonly default: Default<T> }): Option<T, T, false>;
function option<T>(kind: Kind<T>, text: Text & { readonly needed: true }): Option<T, T, true>;
function option<T>(kind: Kind<T>, text: Text & { readonly none: string }): Option<T, T | null, false>;
function option<T>(
  { accept, ...kind }: Kind<T>,
  text: Text & { readonly default?: Default<T>; readonly needed?: true; readonly none?: string },
): Option<T, T | null> {
  const { description, default: fallback, needed = false } = text;
  const plain = fallback === undefined || isDerived(fallback) ? undefined : fallback;
  return {
    ...kind,
    description,
    needed,
    defaultText: isDerived(fallback as Default<T>)
      ? (fallback as DerivedDefault<T>).text
      : plain === undefined
        ? (text.none ?? '')
        : inFull(plain),
    schema: kind.schema && { ...kind.schema, description, ...(plain !== undefined && { default: plain as Json }) },
    use: (who, name, given, objective, before) => {
      const value = given ?? (isDerived(fallback as Default<T>) ? undefined : plain);
      if (value === undefined)
        return fallback === undefined ? null : (fallback as DerivedDefault<T>).of(objective, before);
      accept?.(who, name, value, objective);
      return value;
    },
    toJson: (used) => (typeof used === 'function' ? 'a function' : (used as Json)),
  };
}

/**
 * Options of each kind: `default` (a value, or one that the objective decides), `none` (what its absence means), or
 * `needed`.
 */
type OfKind<T, Range> = {
  (text: Text & Range & { readonly default: Default<T> }): Option<T, T, false>;
  (text: Text & Range & { readonly needed: true }): Option<T, T, true>;
  (text: Text & Range & { readonly none: string }): Option<T, T | null, false>;
};

function ofKind<T, Range>(kind: (range: Range) => Kind<T>): OfKind<T, Range> {
  return ((text: Text & Range & { default: Default<T> }) => option(kind(text), text)) as OfKind<T, Range>;
}

function requireThat(holds: boolean, who: string, name: string, value: unknown, wanted: string): asserts holds {
  if (!holds) throw new BrinkError(who, `${name} is ${shown(value)}. It must be ${wanted}.`);
}

/** Where an integer of an option lies; `most` is checked once the objective is known. */
interface IntegerRange {
  readonly least: number;
  /** 'm': there are no more eigenvalues than parameters. */
  readonly most?: 'm';
}

/** A whole number. */
export const integer = ofKind<number, IntegerRange>(({ least, most }) => ({
  range: `at least ${least}${most ? `, at most ${most}` : ''}`,
  schema: { type: 'integer', minimum: least },
  check: (who, name, value) => {
    const isRight = Number.isSafeInteger(value) && (value as number) >= least;
    requireThat(isRight, who, name, value, `an integer of at least ${least}`);
    return value as number;
  },
  accept: (who, name, value, { paramCount }) => {
    if (most === undefined || value <= paramCount) return;
    throw new BrinkError(who, `${name} is ${value}, but H has only ${paramCount} eigenvalues. Ask for fewer.`);
  },
}));

/** A finite number above a bound. */
export const number = ofKind<number, { readonly above: number }>(({ above }) => ({
  range: `above ${above}`,
  schema: { type: 'number', exclusiveMinimum: above },
  check: (who, name, value) => {
    const isRight = Number.isFinite(value) && (value as number) > above;
    requireThat(isRight, who, name, value, `a finite number above ${above}`);
    return value as number;
  },
}));

/** True or false. */
export const flag = ofKind<boolean, unknown>(() => ({
  range: 'true or false',
  schema: { type: 'boolean' },
  check: (who, name, value) => {
    requireThat(typeof value === 'boolean', who, name, value, 'true or false');
    return value;
  },
}));

/** One of a few words. */
export function oneOf<const W extends readonly string[]>(
  words: W,
  text: Text & { readonly default: W[number] },
): Option<W[number], W[number], false> {
  const quoted = words.map((word) => `'${word}'`).join(' or ');
  const kind: Kind<W[number]> = {
    range: quoted,
    schema: { enum: words },
    check: (who, name, value) => {
      requireThat(words.includes(value as string), who, name, value, quoted);
      return value as W[number];
    },
  };
  return option(kind, text);
}

/** How a list of an option may be. */
interface ListRange {
  /** Whether it may be empty; default false. */
  readonly empty?: boolean;
  /** What each number exceeds; default: it is finite. */
  readonly above?: number;
  /** What a row is named by, so that no number may come twice: 'its step and α'. */
  readonly key: string;
}

/** Finite numbers, each named once. */
export const numbers = ofKind<readonly number[], ListRange>(({ empty = false, above, key }) => ({
  range: above === undefined ? 'finite numbers' : `numbers above ${above}`,
  schema: {
    type: 'array',
    items: { type: 'number', ...(above !== undefined && { exclusiveMinimum: above }) },
    ...(empty ? {} : { minItems: 1 }),
    uniqueItems: true,
  },
  check: (who, name, value) => {
    const list = requireList(who, name, value, empty, key);
    list.forEach((x, i) => {
      const isRight = Number.isFinite(x) && (above === undefined || (x as number) > above);
      requireThat(isRight, who, `${name}[${i}]`, x, `a finite number${above === undefined ? '' : ` above ${above}`}`);
    });
    return list as readonly number[];
  },
}));

/** Batch sizes b, each from 1 (2 with batch normalisation) to n, named once. */
export const batchSizes = ofKind<readonly number[], unknown>(() => ({
  range: 'each from 1 to n, at least one',
  schema: { type: 'array', items: { type: 'integer', minimum: 1 }, minItems: 1, uniqueItems: true },
  check: (who, name, value) => {
    const list = requireList(who, name, value, false, 'its step and batch size');
    list.forEach((b, i) => {
      const isRight = Number.isSafeInteger(b) && (b as number) >= 1;
      requireThat(isRight, who, `${name}[${i}]`, b, 'an integer of at least 1');
    });
    return list as readonly number[];
  },
  accept: (who, name, list, { exampleCount: n, coupled }) => {
    for (const [i, b] of list.entries()) {
      if (b === 1 && coupled) {
        throw new BrinkError(
          who,
          `${name}[${i}] is 1. The model normalises over the batch, and over one example there is nothing to normalise; take 2 at least.`,
        );
      }
      if (b > n) throw new BrinkError(who, `${name}[${i}] is ${b}, but there are only ${n} examples.`);
    }
  },
}));

/** A function, which no file can hold. */
export function callback<F extends (...args: never[]) => unknown>(
  text: Text & { readonly none: string },
): Option<F, F | null, false> {
  const kind: Kind<F> = {
    range: 'a function',
    schema: null,
    check: (who, name, value) => {
      requireThat(typeof value === 'function', who, name, value, 'a function');
      return value as F;
    },
  };
  return option(kind, text);
}

/** A list without a value that comes twice, as an array of its own. */
function requireList(who: string, name: string, value: unknown, empty: boolean, key: string): readonly unknown[] {
  const isList = Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value);
  requireThat(isList, who, name, value, 'a list');
  const list = Array.from(value as ArrayLike<unknown>);
  if (list.length === 0 && !empty) throw new BrinkError(who, `${name} is empty. Name at least one.`);
  list.forEach((x, i) => {
    if (list.findIndex((y) => y === x || Object.is(y, x)) !== i) {
      throw new BrinkError(who, `${name} names ${shown(x)} twice. A row is named by ${key}.`);
    }
  });
  return list;
}
