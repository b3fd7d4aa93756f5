import { z } from 'zod';
import type { JsonObject } from '../core/Json.ts';
import { nearestName } from '../core/nearestName.ts';
import { checkOptions, type Options, optionsSchema } from '../core/Option.ts';
import { asWritten } from './asWritten.ts';
import { CommandLineError } from './CommandLineError.ts';
import { requireName } from './requireName.ts';

/** Something with a name and options: a probe, a model, a data set. */
export type Named = { readonly name: string; readonly [option: string]: unknown };

/** What can be named, and the options that each takes: as a schema, or as a probe declares them. */
export type Choices = Readonly<
  Record<
    string,
    | { readonly options: z.ZodObject; readonly place?: string | null }
    | { readonly declaration: { readonly asks: string; readonly options: Options } }
  >
>;

/** The options of one choice, as JSON schema. */
export function optionsSchemaOf(choice: Choices[string]): JsonObject {
  return 'options' in choice
    ? (z.toJSONSchema(choice.options, { io: 'input' }) as JsonObject)
    : optionsSchema(choice.declaration.options);
}

/**
 * Reads `name:place:option=value:option=value` as the command line has it: numbers, words, true and false, and lists
 * with commas. The place, where the files of a data set lie, has the short form `file:train.npz` beside `path=`.
 *
 * A colon begins an option only where a name and `=` follow, so paths may hold one.
 */
export function parseNamed(who: string, what: string, text: string, choices: Choices): Named {
  const [head, ...rest] = text.split(/:(?=[A-Za-z]\w*=)/) as [string, ...string[]];
  const [first] = head.split(':') as [string];
  const place = placeOf(Object.hasOwn(choices, first) ? choices[first] : undefined);
  const name = place === null ? head : first;
  requireName(who, what, name, Object.keys(choices));
  const parts = name === head ? rest : [`${place}=${head.slice(name.length + 1)}`, ...rest];
  const properties = (optionsSchemaOf(choices[name]!).properties ?? {}) as Readonly<Record<string, unknown>>;
  const options = parts.map((part, k) => {
    const at = part.indexOf('=');
    const [option, value] = [part.slice(0, at), part.slice(at + 1)];
    if (parts.some((other, m) => m < k && other.startsWith(`${option}=`))) {
      throw new CommandLineError(
        who,
        `${what} ${name}: ${option} is given twice. Give one value, or a list with commas.`,
      );
    }
    const { type, items } = (properties[option] ?? {}) as OptionSchema;
    if (type !== 'array') return [option, type === 'string' ? value : scalar(value)];
    return [option, value.split(',').map((entry) => (items?.type === 'string' ? entry : scalar(entry)))];
  });
  return { name, ...Object.fromEntries(options) };
}

/** What the JSON schema of an option says of its type: text that looks like a number stays text. */
interface OptionSchema {
  readonly type?: unknown;
  readonly items?: { readonly type?: unknown };
}

/** The option that says where the files of a data set lie. */
const placeOf = (choice: Choices[string] | undefined): string | null =>
  choice !== undefined && 'place' in choice ? (choice.place ?? null) : null;

function scalar(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return text.trim() !== '' && !Number.isNaN(Number(text)) ? Number(text) : text;
}

/** The options of something named. @throws CommandLineError for an unknown name, an unknown option or a wrong type. */
export function optionsOf(who: string, what: string, { name, ...options }: Named, choices: Choices): object {
  requireName(who, what, name, Object.keys(choices));
  const choice = choices[name]!;
  if ('options' in choice) return parseStrictly(who, `${what} ${name}`, options, choice.options);
  return asWritten(() => checkOptions(name, choice.declaration.options, options));
}

/** As the schema's `parse`, but an unknown name is answered with the nearest. */
export function parseStrictly<T extends z.ZodObject>(who: string, what: string, value: unknown, schema: T): z.infer<T> {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const known = Object.keys(schema.shape);
  const faults = error.issues.flatMap((issue) => {
    const place = issue.path.join('.');
    if (isMissing(value, issue.path)) return [`${place} is missing`];
    if (issue.code !== 'unrecognized_keys' || place !== '') return [`${place}: ${issue.message}`];
    return issue.keys.map((key) => {
      const nearest = nearestName(key, known);
      const all = known.length > 0 ? `There are ${known.join(', ')}.` : 'It takes none.';
      return `there is no option '${key}'. ${nearest ? `Did you mean ${nearest}? ` : ''}${all}`;
    });
  });
  throw new CommandLineError(who, `${what}: ${faults.join('; ')}`);
}

function isMissing(value: unknown, path: readonly PropertyKey[]): boolean {
  return path.reduce((inner: unknown, key) => (inner as Record<PropertyKey, unknown>)?.[key], value) === undefined;
}
