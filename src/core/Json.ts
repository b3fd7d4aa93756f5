import { BrinkError, given } from './errors.ts';

/** A value that JSON can carry unchanged: what run metadata is made of. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json };

/**
 * Throws where a value is no object, or would not be the same once it was written as JSON and read again: NaN and
 * infinities, −0, undefined, bigints, functions, symbols, dates, typed arrays and other objects of a class, and what
 * contains itself.
 *
 * @param name What it is called, which begins the path in the message: 'metadata'.
 */
export function requireJson(who: string, name: string, value: unknown): void {
  const within = new Set<unknown>();
  const refuse = (path: string, what: string): never => {
    throw new BrinkError(
      who,
      `${path} is ${what}, which JSON can't hold. Give it as text, as null, or as plain numbers, lists and objects.`,
    );
  };
  function visit(path: string, found: unknown): void {
    if (found === null || typeof found === 'string' || typeof found === 'boolean') return;
    if (typeof found === 'number') {
      if (Object.is(found, -0)) refuse(path, '−0');
      if (!Number.isFinite(found)) refuse(path, `${found}`);
      return;
    }
    if (typeof found === 'bigint') refuse(path, `the bigint ${found}`);
    if (typeof found !== 'object') refuse(path, found === undefined ? 'undefined' : `a ${typeof found}`);
    if (within.has(found)) refuse(path, 'an object that contains itself');
    within.add(found);
    if (Array.isArray(found)) {
      for (const [k, element] of found.entries()) visit(`${path}[${k}]`, element);
    } else {
      const prototype = Object.getPrototypeOf(found);
      if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
        refuse(path, `a ${prototype.constructor?.name || 'object of a class'}`);
      }
      for (const [key, entry] of Object.entries(found as object)) visit(`${path}.${key}`, entry);
    }
    within.delete(found);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new BrinkError(who, `${given(name, value)} It must be an object, such as { note: 'the first try' }.`);
  }
  visit(name, value);
}
