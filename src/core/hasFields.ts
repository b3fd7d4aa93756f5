/** What a field may hold: `object` is neither null nor an array. */
type Kind = 'string' | 'boolean' | 'integer' | 'object' | 'array' | 'null';

/** Whether a value that was read from a file is an object that has some fields, each of one of its kinds. */
export function hasFields<F extends Readonly<Record<string, readonly Kind[]>>>(
  value: unknown,
  fields: F,
): value is { readonly [K in keyof F]: unknown } {
  if (kindOf(value) !== 'object') return false;
  const found = value as Readonly<Record<string, unknown>>;
  return Object.entries(fields).every(
    ([name, kinds]) => Object.hasOwn(found, name) && (kinds as readonly string[]).includes(kindOf(found[name])),
  );
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}
