/** How many entries of a list are shown. */
const MOST = 4;

/** A value as an error message shows it: strings in quotes, of a list its first entries, of an object its kind. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    const entries = Array.from(value as unknown as ArrayLike<unknown>);
    return `[${entries.slice(0, MOST).map(shown).join(', ')}${entries.length > MOST ? ', …' : ''}]`;
  }
  if (isPromise(value)) return 'a promise';
  if (typeof value === 'object' && value !== null) return `an object of ${Object.keys(value).join(', ') || 'nothing'}`;
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Whether it must be awaited first. */
export const isPromise = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
