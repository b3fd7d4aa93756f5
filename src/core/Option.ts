import { BrinkError } from './errors.ts';
import type { Json, JsonObject } from './Json.ts';
import type { Objective } from './Objective.ts';
import { requireNames } from './requireNames.ts';
import { shown } from './shown.ts';

/** A default that the objective, or the options before it, decide: what it is, and how help says it. */
export interface DerivedDefault<T> {
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: the options before it, of which only the declaration knows the types
  of(objective: Objective, options: any): T;
}

/**
 * One option of a probe: everything that is to be said of it, once.
 *
 * `Given` is what a caller may write, `Used` what the probe computes with (null where nothing was given and there is
 * no default), `Needed` whether it must be given.
 */
export interface Option<Given, Used = Given, Needed extends boolean = boolean> {
  /** One sentence. */
  readonly description: string;
  /** What it may be, in words: `at least 1, at most m`. */
  readonly range: string;
  /** The default as help says it; '' where there is none. */
  readonly defaultText: string;
  readonly needed: Needed;
  /** As JSON schema; null where no file can hold it. */
  readonly schema: JsonObject | null;
  /** What was given, checked as far as that goes without an objective. @throws BrinkError. */
  check(who: string, name: string, value: unknown): Given;
  /** What is used with an objective. @throws BrinkError where it doesn't go with it. */
  use(who: string, name: string, given: Given | undefined, objective: Objective, before: object): Used;
  /** What a table's key-values say of a value. */
  toJson(used: Used): Json;
}

/** The options of a probe, by name. */
// biome-ignore lint/suspicious/noExplicitAny: each option has types of its own
export type Options = Readonly<Record<string, Option<any, any>>>;

type NeededKeys<O extends Options> = { [K in keyof O]: O[K]['needed'] extends true ? K : never }[keyof O];
type GivenOf<P> = P extends Option<infer Given, unknown> ? Given : never;

/** What a caller writes. */
export type OptionsGiven<O extends Options> = {
  readonly [K in keyof O as K extends NeededKeys<O> ? K : never]: GivenOf<O[K]>;
} & { readonly [K in keyof O as K extends NeededKeys<O> ? never : K]?: GivenOf<O[K]> };

/** What the probe computes with. */
export type OptionsUsed<O extends Options> = { readonly [K in keyof O]: ReturnType<O[K]['use']> };

/**
 * What was given, checked by name, type and range.
 *
 * @param also Names beside the declared ones, which are not checked here.
 * @throws BrinkError for a name that there is not, with the nearest one, an option that is missing, or one out of its
 *   range.
 */
export function checkOptions(
  who: string,
  declared: Options,
  given: unknown,
  also: readonly string[] = [],
): Readonly<Record<string, unknown>> {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new BrinkError(who, `the options are ${shown(given)}. They are an object, such as ${example(declared)}.`);
  }
  requireNames(who, given, Object.keys(declared), also);
  const checked = Object.entries(declared).flatMap(([name, { check, needed }]) => {
    const value = (given as Readonly<Record<string, unknown>>)[name];
    if (value !== undefined) return [[name, check(who, name, value)] as const];
    if (needed) throw new BrinkError(who, `${name} is missing. ${declared[name]!.description}`);
    return [];
  });
  return Object.fromEntries(checked);
}

const example = (declared: Options) => `{ ${Object.keys(declared)[0] ?? 'on'}: … }`;

/** The options with which a probe computes on an objective. @throws BrinkError where one does not go with it. */
export function useOptions<O extends Options>(
  who: string,
  declared: O,
  given: Readonly<Record<string, unknown>>,
  objective: Objective,
): OptionsUsed<O> {
  const used: Record<string, unknown> = {};
  for (const [name, { use }] of Object.entries(declared)) used[name] = use(who, name, given[name], objective, used);
  return used as OptionsUsed<O>;
}

/** Options as a table's key-values say them. */
export function optionsToJson(declared: Options, used: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(
    Object.entries(declared).flatMap(([name, { toJson }]) =>
      used[name] === undefined ? [] : [[name, toJson(used[name])]],
    ),
  );
}

/** The JSON schema of options as a file holds them. */
export function optionsSchema(declared: Options): JsonObject {
  const entries = Object.entries(declared).filter(([, { schema }]) => schema !== null);
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, { schema }]) => [name, schema])),
    required: entries.filter(([, { needed }]) => needed).map(([name]) => name),
    additionalProperties: false,
  };
}
