import { z } from 'zod';

/** The options that a function takes, if any. */
export type OptionsOf<F extends (options: never) => unknown> =
  Parameters<F> extends [] ? object : NonNullable<Parameters<F>[0]>;

/** A schema for each option, none left out. */
export type Shape<O> = { readonly [K in keyof O]-?: z.ZodType<O[K]> };

/** Options that may be left out. */
export const number = z.number().exactOptional();
export const flag = z.boolean().exactOptional();
